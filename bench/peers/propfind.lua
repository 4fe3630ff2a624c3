-- wrk asks for all properties of a folder and what is in it (RFC 4918 §9.1).
wrk.method = "PROPFIND"
wrk.headers["Depth"] = "1"
