//! What the pages say, in both languages.

use http::StatusCode;

use crate::wire::accept::Language;

/// One text in each language.
pub(super) struct Text {
    english: &'static str,
    chinese: &'static str,
}

impl Text {
    const fn new(english: &'static str, chinese: &'static str) -> Self {
        Self { english, chinese }
    }

    pub(super) fn get(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::Chinese => self.chinese,
        }
    }
}

pub(super) const NAME: Text = Text::new("Name", "名称");
pub(super) const SIZE: Text = Text::new("Size", "大小");
pub(super) const MODIFIED: Text = Text::new("Modified (UTC)", "修改时间（UTC）");
pub(super) const INDEX_OF: Text = Text::new("Index of", "目录");
pub(super) const PARENT: Text = Text::new("Parent folder", "上级目录");
pub(super) const EMPTY: Text = Text::new("This folder is empty.", "此文件夹为空。");
pub(super) const HOME: Text = Text::new("Home", "首页");
pub(super) const SIGN_IN: Text = Text::new("Sign in", "登录");
pub(super) const SHOW_ALL: Text = Text::new("Show all", "显示全部");
pub(super) const AS_ZIP: Text = Text::new("Download as zip", "下载为 zip");
pub(super) const SIGN_OUT: Text = Text::new("Sign out", "退出登录");
pub(super) const ACCOUNT: Text = Text::new("Name", "用户名");
pub(super) const PASSWORD: Text = Text::new("Password", "密码");
pub(super) const STAY: Text =
    Text::new("Stay signed in for 30 days on this device", "在此设备上保持登录 30 天");
const WRONG: Text = Text::new(
    "The name or the password is wrong, or the account is locked.",
    "用户名或密码错误，或账户已锁定。",
);
pub(super) const NEEDS_SCRIPT: Text =
    Text::new("This page needs JavaScript.", "此页面需要 JavaScript。");
pub(super) const UNSORTED: Text = Text::new(
    "This folder is too large to sort: its entries stand in the disk's own order.",
    "此文件夹过大，无法排序：各项按磁盘顺序列出。",
);
pub(super) const CUT_SHORT: Text =
    Text::new("The listing could not be read to its end.", "列表未能完整读取。");
pub(super) const GO_HOME: Text = Text::new("Go to the start page", "返回首页");

/// Why somebody could not sign in; `wait` is in seconds, if waiting helps.
pub(crate) fn refused(wait: Option<u32>, language: Language) -> String {
    match (wait, language) {
        (None, _) => WRONG.get(language).to_owned(),
        (Some(wait), Language::English) => {
            format!("Too many attempts. Wait {wait} s, and try again.")
        }
        (Some(wait), Language::Chinese) => format!("尝试次数过多，请等待 {wait} 秒后重试。"),
    }
}

pub(super) const PROTECTED: Text = Text::new("This link needs its password", "此链接需要密码");
pub(super) const NOT_IT: Text = Text::new("That is not the password.", "密码不正确。");
pub(super) const OPEN: Text = Text::new("Open", "打开");
pub(super) const DROP_BOX: Text = Text::new("A drop box", "收件箱");
pub(super) const NO_LINK: Text = Text::new("This link leads nowhere", "此链接无效");
pub(super) const ASK_FOR_LINK: Text = Text::new(
    "It may have lost its end when it was copied. Ask whoever sent it.",
    "链接可能在复制时不完整，请向发送者确认。",
);
pub(super) const LINK_OVER: Text = Text::new("This link has ended", "此链接已失效");
pub(super) const ASK_AGAIN: Text = Text::new(
    "What it led to is no longer shared. Ask whoever sent it for another one.",
    "其内容已不再共享，请向发送者索取新的链接。",
);
pub(super) const DROP_HERE: Text = Text::new(
    "What you put here goes to {owner}. Others with this link do not see it.",
    "您放入此处的文件将交给 {owner}，持有此链接的其他人看不到。",
);
pub(super) const DROP_UNTIL: Text = Text::new("Open until {until}.", "开放至 {until}。");
pub(super) const DROP_BY: Text = Text::new(
    "From a shell, with this page's address and a slash at its end: curl -T FILE ADDRESS/",
    "在命令行中，使用本页地址并以斜杠结尾：curl -T 文件 地址/",
);

/// A title and a sentence on what to do.
type Explanation = (StatusCode, Text, Text);

/// The errors that this server answers.
const ERRORS: [Explanation; 25] = [
    (
        StatusCode::BAD_REQUEST,
        Text::new("Bad request", "请求有误"),
        Text::new("The server could not understand the request.", "服务器无法理解该请求。"),
    ),
    (
        StatusCode::FORBIDDEN,
        Text::new("Not permitted", "禁止访问"),
        Text::new(
            "This exists, and the server does not serve it.",
            "该内容存在，但服务器不提供访问。",
        ),
    ),
    (
        StatusCode::UNAUTHORIZED,
        Text::new("Sign in", "请登录"),
        Text::new(
            "Sign in with the name and the password of an account.",
            "请使用账户名和密码登录。",
        ),
    ),
    (
        StatusCode::NOT_FOUND,
        Text::new("Not found", "未找到"),
        Text::new(
            "Nothing here has this name. Check the address.",
            "没有此名称的内容，请检查地址。",
        ),
    ),
    (
        StatusCode::METHOD_NOT_ALLOWED,
        Text::new("Method not allowed", "不允许的方法"),
        Text::new("This cannot be done here.", "此处不能执行该操作。"),
    ),
    (
        StatusCode::REQUEST_TIMEOUT,
        Text::new("Request timeout", "请求超时"),
        Text::new("The request did not arrive in time.", "请求未能按时到达。"),
    ),
    (
        StatusCode::CONFLICT,
        Text::new("Conflict", "冲突"),
        Text::new("What is there does not fit the request.", "该请求与现有内容不符。"),
    ),
    (
        StatusCode::GONE,
        Text::new("No longer shared", "已不再共享"),
        Text::new(
            "The link has ended. Ask whoever gave it to you for a new one.",
            "该链接已失效，请向提供者索取新链接。",
        ),
    ),
    (
        StatusCode::LENGTH_REQUIRED,
        Text::new("Length required", "缺少长度"),
        Text::new("The request does not say how long it is.", "请求未说明内容长度。"),
    ),
    (
        StatusCode::PAYLOAD_TOO_LARGE,
        Text::new("Too large", "内容过大"),
        Text::new("The server takes no file of this size.", "服务器不接受如此大的文件。"),
    ),
    (
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Text::new("Not taken in this form", "不支持的形式"),
        Text::new("Send the file as it is.", "请按原样发送文件。"),
    ),
    (
        StatusCode::EXPECTATION_FAILED,
        Text::new("Expectation failed", "期望无法满足"),
        Text::new("The server knows no such expectation.", "服务器不了解所期望的内容。"),
    ),
    (
        StatusCode::TOO_MANY_REQUESTS,
        Text::new("Too many attempts", "尝试次数过多"),
        Text::new("Wait, and try again.", "请稍后重试。"),
    ),
    (
        StatusCode::INSUFFICIENT_STORAGE,
        Text::new("No room", "空间不足"),
        Text::new("There is no room for it.", "没有足够的空间。"),
    ),
    (
        StatusCode::PRECONDITION_FAILED,
        Text::new("Precondition failed", "前提条件不成立"),
        Text::new("The file is not the one the request expects.", "该文件与请求所期望的不一致。"),
    ),
    (
        StatusCode::URI_TOO_LONG,
        Text::new("Address too long", "地址过长"),
        Text::new("The address is longer than the server accepts.", "地址长度超出服务器限制。"),
    ),
    (
        StatusCode::RANGE_NOT_SATISFIABLE,
        Text::new("Range not satisfiable", "范围无效"),
        Text::new("The range lies beyond the end of the file.", "所请求的范围超出文件末尾。"),
    ),
    (
        StatusCode::MISDIRECTED_REQUEST,
        Text::new("Unknown host", "未知主机"),
        Text::new(
            "This server does not go by that name. Use localhost or its address.",
            "本服务器不使用该名称，请使用 localhost 或其地址。",
        ),
    ),
    (
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Text::new("Header too large", "请求头过大"),
        Text::new("The request's header is too large.", "请求头超出服务器限制。"),
    ),
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        Text::new("Server error", "服务器错误"),
        Text::new("The server failed; its log says why.", "服务器出错，原因见其日志。"),
    ),
    (
        StatusCode::NOT_IMPLEMENTED,
        Text::new("Unknown method", "未知方法"),
        Text::new("The server does not know this method.", "服务器不支持该方法。"),
    ),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        Text::new("Busy", "服务器繁忙"),
        Text::new("Too much to do at the moment. Try again shortly.", "当前负载过高，请稍后重试。"),
    ),
    (
        StatusCode::SEE_OTHER,
        Text::new("Sign in", "请登录"),
        Text::new("Sign in first; then this page is shown.", "请先登录，随后将显示此页面。"),
    ),
    (
        StatusCode::TEMPORARY_REDIRECT,
        Text::new("Over TLS only", "仅限 TLS"),
        Text::new("This server is to be had over TLS.", "本服务器须通过 TLS 访问。"),
    ),
    (
        StatusCode::MOVED_PERMANENTLY,
        Text::new("Moved", "已移动"),
        Text::new("A folder's address ends with a slash.", "文件夹地址以斜杠结尾。"),
    ),
];

/// The title of a status, and what to do about it.
pub(super) fn of(status: StatusCode, language: Language) -> (&'static str, &'static str) {
    ERRORS
        .iter()
        .find(|(s, ..)| *s == status)
        .map(|(_, title, hint)| (title.get(language), hint.get(language)))
        .unwrap_or((status.canonical_reason().unwrap_or("Error"), ""))
}
