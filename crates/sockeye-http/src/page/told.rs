//! Why something was not done, in the words of whoever reads it.
//!
//! What is meant for programs is said in English alone; what somebody at a browser may meet is said in their language.

use std::{
    borrow::Cow,
    fmt::{self, Display},
    time::Duration,
};

use sockeye_node::{Error, NameError, Refused, ShareError};

use crate::{
    content::{Cut, Unread},
    refused::{Hindrance, OnlyTaken, retry_after},
    site::Unwelcome,
    wire::{
        accept::Language, authorization::AuthorizationError, chunked::ChunkError,
        framing::FramingError, target::TargetError,
    },
};

/// What says why something was not done: in English as it is displayed.
pub(crate) trait Told: Display {
    /// The same in Chinese; nothing where it is meant for programs.
    fn chinese(&self) -> Option<String> {
        None
    }
}

/// The text in that language, if there is one.
pub(super) fn told_in(told: &dyn Told, language: Language) -> Option<String> {
    match language {
        Language::English => Some(told.to_string()),
        Language::Chinese => told.chinese(),
    }
}

impl Told for &str {}
impl Told for String {}
impl Told for Cow<'_, str> {}
impl Told for FramingError {}
impl Told for ChunkError {}

impl fmt::Display for OnlyTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_posted {
            f.write_str("files are put with PUT, not POST: curl -T FILE ADDRESS; ")?;
        }
        write!(f, "what is taken here: {}", self.methods.text())
    }
}

impl Told for OnlyTaken {
    fn chinese(&self) -> Option<String> {
        let put = if self.is_posted {
            "上传文件请用 PUT，而不是 POST：curl -T 文件 地址；"
        } else {
            ""
        };
        Some(format!("{put}此处可用的方法：{}。", self.methods.text()))
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFolder(address) => write!(
                f,
                "the folder that it should go into is not there; make that first: curl -X MKCOL …{address}"
            ),
            Self::IsFolder(address) => write!(
                f,
                "a folder has that name; to put the file into it, end the address with a slash: \
                 curl -T FILE …{address}"
            ),
        }
    }
}

impl Told for Hindrance {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::NoFolder(address) => {
                format!("目标文件夹不存在，请先创建：curl -X MKCOL …{address}。")
            }
            Self::IsFolder(address) => {
                format!("已有同名文件夹；若要放入其中，地址请以斜杠结尾：curl -T 文件 …{address}。")
            }
        })
    }
}

impl Told for Error {
    fn chinese(&self) -> Option<String> {
        let text = match self {
            Self::NotFound => "没有此文件或文件夹。",
            Self::Denied => "您的权限不足。",
            Self::Special => "这既不是文件也不是文件夹，不提供访问。",
            Self::WrongKind { .. } => "需要文件处是文件夹，或需要文件夹处是文件。",
            Self::NoParent => "目标文件夹不存在，请先创建。",
            Self::Exists => "已有同名内容。",
            Self::Changed => "该内容已被更改，请重新获取。",
            Self::TooManyEntries { taken } => {
                return Some(format!(
                    "该文件夹内容过多，无法一次处理：超过 {taken} 项；请逐个处理其中的文件夹。"
                ));
            }
            Self::NotEmpty => "该文件夹不为空。",
            Self::IntoItself => "文件夹不能移动或复制到自身之中，根目录也不能移除或替换。",
            Self::BadName { .. } => "新建内容不能使用该名称。",
            Self::WrongLength { announced, received } => {
                return Some(format!("声明了 {announced} 字节，实际收到 {received} 字节。"));
            }
            Self::WrongDigest { .. } => "收到的内容与所声明的摘要不符，请重新发送。",
            Self::InUse => "该上传正由他人继续。",
            Self::Locked { .. } => "该内容已被锁定。",
            Self::NoSuchLock => "此处没有该锁，它可能已结束。",
            Self::UploadEnded => "该上传已结束，请重新开始。",
            Self::TooManyMarks { .. } => "属性或锁过多。",
            Self::OverQuota(_) => "超出配额，空间不足。",
            Self::Ended => "会话已结束，请重新登录。",
            Self::Exhausted => "该链接的使用次数已用完。",
            Self::BoxFull => "此处不再接收文件：已达上限，或该文件超过剩余空间。",
            Self::ReadOnly { .. } => "目前无法更改。",
            Self::NoSpace => "服务器磁盘已满。",
            Self::Shrunk => "读取时文件变短了。",
            Self::Busy => "服务器繁忙，请稍后重试。",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

impl Told for ShareError {
    fn chinese(&self) -> Option<String> {
        let text = match self {
            Self::NotFound => "该链接没有指向任何内容。",
            Self::Over => "该链接所指的内容已不再共享。",
            Self::Password { wrong: true } => "密码不正确。",
            Self::Password { wrong: false } => "该链接需要密码。",
            Self::Refused(refused) => return refused.chinese(),
            Self::Failed(error) => return error.chinese(),
            _ => return None,
        };
        Some(text.to_owned())
    }
}

impl Told for Refused {
    fn chinese(&self) -> Option<String> {
        let wait =
            |why: &str, wait: Duration| format!("{why}，请等待 {} 秒后重试。", retry_after(wait));
        Some(match self {
            Self::Wrong(_) => "用户名或密码错误，或账户已锁定。".to_owned(),
            Self::Wait { retry_after } => wait("来自此地址的失败登录过多", *retry_after),
            Self::Busy { retry_after } => wait("同时登录者过多", *retry_after),
            Self::Failed(_) => "目前无法读取账户，原因见服务器日志。".to_owned(),
            _ => return None,
        })
    }
}

impl Told for Unwelcome {
    fn chinese(&self) -> Option<String> {
        let text = match self {
            Self::Stranger => "请使用账户名和密码或令牌登录。",
            Self::Malformed(error) => return error.chinese(),
            Self::Refused(refused) => return refused.chinese(),
            Self::Forged => "此页面早于您的登录，请重新载入页面。",
            Self::Failed(error) => return error.chinese(),
        };
        Some(text.to_owned())
    }
}

impl Told for AuthorizationError {
    fn chinese(&self) -> Option<String> {
        Some("Authorization 请求头无法理解。".to_owned())
    }
}

impl Told for TargetError {
    fn chinese(&self) -> Option<String> {
        let text = match self {
            Self::Form => "请求目标既不是路径也不是 URL。",
            Self::Character => "地址中含有必须以百分号编码的字符。",
            Self::Escape => "地址中的百分号之后不是两位十六进制数字。",
            Self::Name(NameError::Empty) => "名称不能为空。",
            Self::Name(NameError::Dots) => "“.”和“..”不是名称。",
            Self::Name(NameError::Byte) => "名称不能包含斜杠或 NUL。",
            Self::Name(NameError::TooLong) => "名称超过文件系统允许的长度。",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

impl Told for Unread {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::TooLarge(most) => format!("内容超过 {most} 字节。"),
            Self::Cut(Cut::Slow) => "内容到达过慢。".to_owned(),
            Self::Cut(_) => "内容未能完整到达。".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::method::Allowed;

    #[test]
    fn what_somebody_at_a_browser_meets_is_said_in_both_languages() {
        let (methods, is_posted) = (Allowed::READ, true);
        let told: [&dyn Told; 10] = [
            &OnlyTaken { methods, is_posted },
            &Error::NotFound,
            &Error::TooManyEntries { taken: 7 },
            &ShareError::Over,
            &ShareError::Failed(Error::Exhausted),
            &Unwelcome::Forged,
            &Unwelcome::Refused(Refused::Wait { retry_after: Duration::from_millis(6500) }),
            &TargetError::Escape,
            &TargetError::Name(NameError::Dots),
            &Unread::TooLarge(7),
        ];
        for told in told {
            let english = told_in(told, Language::English).unwrap();
            let chinese = told_in(told, Language::Chinese).unwrap();
            assert!(english.is_ascii() && chinese.ends_with('。'), "{english}: {chinese}");
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            assert_eq!(digits(&english), digits(&chinese));
        }
        assert_eq!(told_in(&"for programs", Language::Chinese), None);
    }
}
