//! XML as WebDAV's requests have it (RFC 4918 §8.2): a small tree with its namespaces resolved.
//!
//! A document type declaration is refused, and with it every entity but the five that XML has by itself, so that
//! nothing can grow or be fetched. Size, depth, the numbers of elements and attributes are bounded. UTF-8 alone is taken.

use std::{fmt::Write as _, sync::Arc};

use quick_xml::{
    Reader,
    escape::unescape,
    events::{BytesStart, Event},
};

/// WebDAV's own namespace.
pub const DAV: &str = "DAV:";

/// The namespace of `xml:lang`, whose prefix needs no declaration.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Elements within elements, at most.
pub const MAX_DEPTH: usize = 64;

/// Elements of one document, at most.
pub const MAX_ELEMENTS: usize = 10_000;

/// Attributes of one element, at most, declarations of namespaces included.
pub const MAX_ATTRIBUTES: usize = 64;

/// Namespaces that are declared at one place, at most.
const MAX_DECLARED: usize = 256;

/// Longest name, and longest namespace, in bytes.
const MAX_NAME: usize = 512;

/// Why a document is not read: 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// It is no XML, or not in UTF-8.
    #[error("the content is not well-formed XML in UTF-8")]
    Malformed,
    /// It declares a document type, or uses an entity of one.
    #[error("a document type declaration, and entities of one, are not taken")]
    DocumentType,
    /// It is too deep, or has too many elements, attributes or namespaces, or names that are too long.
    #[error("the XML is deeper or wider than anything WebDAV asks for")]
    TooComplex,
    /// It is XML, and not what the method takes.
    #[error("the XML is not what this method takes")]
    Unexpected,
}

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its namespace; empty for none.
    pub space: Arc<str>,
    /// Its local name.
    pub local: Box<str>,
    /// Its attributes, without declarations of namespaces.
    attributes: Vec<Attribute>,
    /// What is in it.
    children: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    space: Arc<str>,
    local: Box<str>,
    value: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Element(Element),
    Text(String),
}

/// Reads a document.
///
/// # Errors
/// [`XmlError`].
pub fn parse(bytes: &[u8]) -> Result<Element, XmlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::Malformed)?;
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut tree = Tree::default();
    loop {
        match reader.read_event().map_err(|_| XmlError::Malformed)? {
            Event::Start(start) => tree.enter(&start)?,
            Event::Empty(start) => {
                tree.enter(&start)?;
                tree.leave()?;
            }
            Event::End(_) => tree.leave()?,
            Event::Text(text) => tree.text(&text)?,
            Event::CData(data) => tree.text(&data)?,
            Event::GeneralRef(entity) => {
                let whole = format!("&{};", &*entity);
                let text = unescape(&whole).map_err(|_| XmlError::DocumentType)?;
                tree.text(&text)?;
            }
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => {
                return tree.root.filter(|_| tree.open.is_empty()).ok_or(XmlError::Malformed);
            }
        }
    }
}

/// A tree that is being read.
#[derive(Default)]
struct Tree {
    open: Vec<(Element, usize)>,
    root: Option<Element>,
    /// Prefixes and their namespaces, the innermost last.
    declared: Vec<(Box<str>, Arc<str>)>,
    elements: usize,
}

impl Tree {
    fn enter(&mut self, start: &BytesStart<'_>) -> Result<(), XmlError> {
        self.elements += 1;
        if self.root.is_some() {
            return Err(XmlError::Malformed);
        }
        if self.elements > MAX_ELEMENTS || self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooComplex);
        }
        let outer = self.declared.len();
        let mut plain = Vec::new();
        for (at, attribute) in start.attributes().enumerate() {
            if at >= MAX_ATTRIBUTES {
                return Err(XmlError::TooComplex);
            }
            let attribute = attribute.map_err(|_| XmlError::Malformed)?;
            let value = unescape(&attribute.value).map_err(|_| XmlError::DocumentType)?;
            check_text(&value)?;
            match attribute.key.0.split_once(':') {
                None if attribute.key.0 == "xmlns" => self.declare("", &value)?,
                Some(("xmlns", prefix)) => self.declare(prefix, &value)?,
                _ => plain.push((attribute.key.0, value.into_owned().into_boxed_str())),
            }
        }
        let (prefix, local) = split(start.name().0)?;
        let space = self.space_of(prefix)?;
        let mut attributes: Vec<Attribute> = Vec::with_capacity(plain.len());
        for (name, value) in plain {
            let (prefix, local) = split(name)?;
            // Without a prefix an attribute is in no namespace.
            let space = if prefix.is_empty() { "".into() } else { self.space_of(prefix)? };
            if attributes.iter().any(|it| it.space == space && &*it.local == local) {
                return Err(XmlError::Malformed);
            }
            attributes.push(Attribute { space, local: local.into(), value });
        }
        let element = Element { space, local: local.into(), attributes, children: Vec::new() };
        self.open.push((element, outer));
        Ok(())
    }

    fn leave(&mut self) -> Result<(), XmlError> {
        let (element, outer) = self.open.pop().ok_or(XmlError::Malformed)?;
        self.declared.truncate(outer);
        match self.open.last_mut() {
            Some((above, _)) => above.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        check_text(text)?;
        match self.open.last_mut() {
            Some((element, _)) => match element.children.last_mut() {
                // Put together in pieces, as references stand between them.
                Some(Node::Text(before)) => before.push_str(text),
                _ => element.children.push(Node::Text(text.to_owned())),
            },
            None if text.trim().is_empty() => {}
            None => return Err(XmlError::Malformed),
        }
        Ok(())
    }

    fn declare(&mut self, prefix: &str, space: &str) -> Result<(), XmlError> {
        if self.declared.len() >= MAX_DECLARED || space.len() > MAX_NAME || prefix.len() > MAX_NAME
        {
            return Err(XmlError::TooComplex);
        }
        // Namespaces in XML 1.0 §2.2, §3: a prefix cannot be taken back, and these two are as they are.
        if !prefix.is_empty() && (space.is_empty() || prefix == "xml" || prefix == "xmlns") {
            return Err(XmlError::Malformed);
        }
        self.declared.push((prefix.into(), space.into()));
        Ok(())
    }

    fn space_of(&self, prefix: &str) -> Result<Arc<str>, XmlError> {
        let found = self.declared.iter().rev().find(|(known, _)| &**known == prefix);
        match found {
            Some((_, space)) => Ok(Arc::clone(space)),
            None if prefix.is_empty() => Ok("".into()),
            None if prefix == "xml" => Ok(XML.into()),
            None => Err(XmlError::Malformed),
        }
    }
}

/// The prefix, which may be none, and the local name.
fn split(name: &str) -> Result<(&str, &str), XmlError> {
    if name.len() > MAX_NAME {
        return Err(XmlError::TooComplex);
    }
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let well = |part: &str| part.starts_with(begins_name) && part.chars().all(goes_on_in_name);
    match (prefix.is_empty() || well(prefix)) && well(local) && !name.starts_with(':') {
        true => Ok((prefix, local)),
        false => Err(XmlError::Malformed),
    }
}

/// XML 1.0 §2.3, as far as it matters for what is written back: beyond ASCII nothing can be mistaken for markup.
fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || (c >= '\u{c0}' && !c.is_whitespace() && is_text(c))
}

fn goes_on_in_name(c: char) -> bool {
    begins_name(c) || c.is_ascii_digit() || c == '-' || c == '.' || c == '\u{b7}'
}

/// A character that a document can have (XML 1.0 §2.2).
fn is_text(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn check_text(text: &str) -> Result<(), XmlError> {
    if text.chars().all(is_text) { Ok(()) } else { Err(XmlError::Malformed) }
}

impl Element {
    /// Whether it is WebDAV's element of this name.
    #[must_use]
    pub fn is_dav(&self, local: &str) -> bool {
        &*self.space == DAV && &*self.local == local
    }

    /// The elements in it; text between them is passed over.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// WebDAV's first element of this name in it.
    #[must_use]
    pub fn dav(&self, local: &str) -> Option<&Self> {
        self.elements().find(|element| element.is_dav(local))
    }

    /// Its own `xml:lang`.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        let lang = |it: &&Attribute| &*it.space == XML && &*it.local == "lang";
        self.attributes.iter().find(lang).map(|it| &*it.value)
    }

    /// Speaks this language, unless it says itself which.
    pub fn inherit(&mut self, language: Option<&str>) {
        if let (Some(language), None) = (language, self.language()) {
            let value = language.into();
            self.attributes.push(Attribute { space: XML.into(), local: "lang".into(), value });
        }
    }

    /// Writes it so that it means the same wherever no default namespace is declared; `None` if that takes more than
    /// `most` bytes.
    #[must_use]
    pub fn write(&self, most: usize) -> Option<String> {
        let mut out = String::new();
        self.write_into(&mut out, "", most).then_some(out)
    }

    /// Writes what is in it, likewise.
    #[must_use]
    pub fn write_content(&self, most: usize) -> Option<String> {
        let mut out = String::new();
        self.write_children(&mut out, "", most).then_some(out)
    }

    /// `outer` is the default namespace around it; whether it fits.
    fn write_into(&self, out: &mut String, outer: &str, most: usize) -> bool {
        out.push('<');
        out.push_str(&self.local);
        if *self.space != *outer {
            out.push_str(" xmlns=\"");
            escape_into(out, &self.space);
            out.push('"');
        }
        for (at, attribute) in self.attributes.iter().enumerate() {
            match &*attribute.space {
                "" => out.push(' '),
                XML => out.push_str(" xml:"),
                space => {
                    // Writing to a string does not fail.
                    let _ = write!(out, " xmlns:a{at}=\"");
                    escape_into(out, space);
                    let _ = write!(out, "\" a{at}:");
                }
            }
            out.push_str(&attribute.local);
            out.push_str("=\"");
            escape_into(out, &attribute.value);
            out.push('"');
        }
        if self.children.is_empty() {
            out.push_str("/>");
            return out.len() <= most;
        }
        out.push('>');
        let fits = self.write_children(out, &self.space, most);
        out.push_str("</");
        out.push_str(&self.local);
        out.push('>');
        fits && out.len() <= most
    }

    fn write_children(&self, out: &mut String, space: &str, most: usize) -> bool {
        self.children.iter().all(|child| {
            match child {
                Node::Text(text) => escape_into(out, text),
                Node::Element(element) => return element.write_into(out, space, most),
            }
            out.len() <= most
        })
    }
}

/// Appends text so that it stands for itself, in content and in attributes alike.
pub fn escape_into(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // What a reader would take for a space or another line end.
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Element, XmlError> {
        parse(text.as_bytes())
    }

    fn again(text: &str) -> String {
        read(text).unwrap().write(usize::MAX).unwrap()
    }

    #[test]
    fn namespaces_are_resolved_and_written_so_that_they_stand_alone() {
        for (text, expected) in [
            ("<a/>", "<a/>"),
            ("<a xmlns='u'><b/></a>", "<a xmlns=\"u\"><b/></a>"),
            ("<p:a xmlns:p='u'><p:b/><c/></p:a>", "<a xmlns=\"u\"><b/><c xmlns=\"\"/></a>"),
            ("<a p:x='1' xmlns:p='u' y='2'/>", "<a xmlns:a0=\"u\" a0:x=\"1\" y=\"2\"/>"),
            ("<a xml:lang='de'>x</a>", "<a xml:lang=\"de\">x</a>"),
            (
                "<?xml version='1.0'?><!-- c --><a>1<!-- c -->&amp;&#x32;<![CDATA[<]]></a> ",
                "<a>1&amp;2&lt;</a>",
            ),
            ("<a xmlns='u'><a xmlns='v'/><a/></a>", "<a xmlns=\"u\"><a xmlns=\"v\"/><a/></a>"),
        ] {
            assert_eq!(again(text), expected, "{text}");
            assert_eq!(again(expected), expected);
        }
    }

    #[test]
    fn what_is_no_xml_or_has_a_document_type_is_refused() {
        use XmlError::{DocumentType, Malformed};
        for (text, expected) in [
            ("", Malformed),
            ("x", Malformed),
            ("<a>", Malformed),
            ("<a></b>", Malformed),
            ("<a/><b/>", Malformed),
            ("<a/>x", Malformed),
            ("<p:a/>", Malformed),
            ("<a xmlns:p=''/>", Malformed),
            ("<a x='1' x='2'/>", Malformed),
            ("<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>", Malformed),
            ("<a\u{1}/>", Malformed),
            ("<a>&#1;</a>", Malformed),
            ("<1a/>", Malformed),
            ("<a:b:c xmlns:a='u'/>", Malformed),
            ("<!DOCTYPE a><a/>", DocumentType),
            ("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", DocumentType),
            ("<a>&lol9;</a>", DocumentType),
            ("<a b='&x;'/>", DocumentType),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
        assert_eq!(parse(b"<a>\xff</a>"), Err(Malformed));
    }

    #[test]
    fn what_is_too_deep_or_too_wide_is_refused() {
        let deep = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
        assert!(read(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(read(&deep(MAX_DEPTH + 1)), Err(XmlError::TooComplex));
        assert_eq!(read(&"<a>".repeat(1_000_000)), Err(XmlError::TooComplex));
        let wide = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
        assert_eq!(read(&wide), Err(XmlError::TooComplex));
        let many = |what: &dyn Fn(usize) -> String| {
            let all: String = (0..=MAX_ATTRIBUTES).map(what).collect();
            format!("<a {all}/>")
        };
        assert_eq!(read(&many(&|n| format!("b{n}='' "))), Err(XmlError::TooComplex));
        assert_eq!(read(&many(&|n| format!("xmlns:b{n}='u' "))), Err(XmlError::TooComplex));
        let long = format!("<a xmlns='{}'/>", "u".repeat(MAX_NAME + 1));
        assert_eq!(read(&long), Err(XmlError::TooComplex));
        // Written out, each of them would repeat its namespace.
        let space = "u".repeat(MAX_NAME);
        let pairs = "<p:b/><b/>".repeat(1000);
        let element = read(&format!("<a xmlns:p='{space}'>{pairs}</a>")).unwrap();
        assert_eq!(element.write(64 * 1024), None);
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[<>/a:b='\" &;!\\[\\]#x1?-]{0,60}") {
            if let Ok(element) = read(&text) {
                let written = element.write(usize::MAX).unwrap();
                prop_assert_eq!(read(&written).unwrap().write(usize::MAX).unwrap(), written);
            }
        }

        #[test]
        fn text_stands_for_itself(text in "[\\PC\r\n\t]{0,40}") {
            let mut document = String::from("<a b=\"");
            escape_into(&mut document, &text);
            document.push_str("\">");
            escape_into(&mut document, &text);
            document.push_str("</a>");
            if let Ok(element) = read(&document) {
                prop_assert_eq!(&*element.attributes[0].value, &*text);
                let content = element.children.first().map_or_else(String::new, |it| match it {
                    Node::Text(text) => text.to_string(),
                    Node::Element(_) => unreachable!(),
                });
                prop_assert_eq!(content, text);
            }
        }
    }
}
