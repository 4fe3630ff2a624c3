//! Framing: any split of a stream gives the same frames, nothing a peer sends passes a limit,
//! and the classic exchanges work over real sockets.

#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use bytes::BytesMut;
use futures_util::{SinkExt, StreamExt};
use proptest::{collection::vec, prelude::*};
use sockeye::framing::{
    Delimited, Delimiter, Fixed, FrameError, HEADER_PAUSE, LengthField, LengthPrefixed, MAX_HEADER,
    read_until_pause, recv_acknowledged, recv_size, send_acknowledged, send_size,
};
use sockeye_testkit::soon;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::codec::{Decoder, Encoder, Framed};

const FIELDS: [LengthField; 6] = [
    LengthField::U8,
    LengthField::U16Be,
    LengthField::U16Le,
    LengthField::U32Be,
    LengthField::U32Le,
    LengthField::Varint,
];

async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

/// What a decoder makes of a stream: its frames and errors in order, as text to compare.
fn outcome<D>(mut decoder: D, parts: &[Vec<u8>], limit: usize) -> Vec<String>
where
    D: Decoder<Item = BytesMut, Error = FrameError>,
{
    let mut seen = Vec::new();
    let mut buffer = BytesMut::new();
    for part in parts {
        buffer.extend_from_slice(part);
        loop {
            let capacity = buffer.capacity();
            let result = decoder.decode(&mut buffer);
            assert!(buffer.capacity() <= capacity, "the decoder reserved memory");
            if !record(&mut seen, result, limit) {
                break;
            }
        }
    }
    while record(&mut seen, decoder.decode_eof(&mut buffer), limit) {}
    assert!(buffer.is_empty(), "bytes were left over");
    seen
}

/// Notes one result; false when there is nothing more to ask for now.
fn record(
    seen: &mut Vec<String>,
    result: Result<Option<BytesMut>, FrameError>,
    limit: usize,
) -> bool {
    match result {
        Ok(Some(frame)) => {
            assert!(frame.len() <= limit, "a frame above the limit");
            seen.push(format!("{:?}", frame.freeze()));
            true
        }
        Ok(None) => false,
        // Repeated on every call, and so once for every part.
        Err(FrameError::Poisoned) => {
            if seen.last().is_none_or(|last| last != "poisoned") {
                seen.push("poisoned".to_owned());
            }
            false
        }
        Err(error) => {
            seen.push(error.to_string());
            true
        }
    }
}

/// `whole` cut at every one of `cuts`, taken modulo its length.
fn split(whole: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (whole.len() + 1)).collect();
    cuts.sort_unstable();
    let mut parts = Vec::new();
    let mut from = 0;
    for cut in cuts.into_iter().chain([whole.len()]) {
        parts.push(whole[from..cut].to_vec());
        from = cut;
    }
    parts
}

fn same_for_any_split<D>(decoder: &D, bytes: &[u8], cuts: &[usize], limit: usize)
where
    D: Decoder<Item = BytesMut, Error = FrameError> + Clone,
{
    let whole = outcome(decoder.clone(), &[bytes.to_vec()], limit);
    assert_eq!(outcome(decoder.clone(), &split(bytes, cuts), limit), whole);
    let singly: Vec<_> = bytes.iter().map(|byte| vec![*byte]).collect();
    assert_eq!(outcome(decoder.clone(), &singly, limit), whole);
}

fn comes_back<C>(codec: &C, bodies: &[Vec<u8>])
where
    C: Decoder<Item = BytesMut, Error = FrameError> + Encoder<Vec<u8>, Error = FrameError> + Clone,
{
    let (mut sender, mut receiver) = (codec.clone(), codec.clone());
    let mut wire = BytesMut::new();
    let mut accepted = Vec::new();
    for body in bodies {
        let before = wire.len();
        match sender.encode(body.clone(), &mut wire) {
            Ok(()) => accepted.push(body),
            Err(_) => assert_eq!(wire.len(), before, "a refused frame left bytes behind"),
        }
    }
    for body in accepted {
        assert_eq!(receiver.decode(&mut wire).unwrap().unwrap(), body);
    }
    assert!(receiver.decode_eof(&mut wire).unwrap().is_none());
}

/// Every combination of what `Delimited` can be told, with a small limit.
fn every_delimited() -> Vec<Delimited> {
    let mut all = Vec::new();
    for delimiter in [Delimiter::from(b"\n"), Delimiter::from(b"\r\n"), Delimiter::from(b"--")] {
        for choice in 0..8 {
            all.push(
                Delimited::new(delimiter.clone())
                    .max_frame(5)
                    .strip_cr(choice & 1 != 0)
                    .skip_oversized(choice & 2 != 0)
                    .optional_at_end(choice & 4 != 0),
            );
        }
    }
    all
}

/// Bytes that make delimiters, and parts of them, likely.
fn delimiter_soup() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'a'), any::<u8>()], 0..40)
}

proptest! {
    #[test]
    fn any_split_gives_the_same_delimited_frames(
        bytes in delimiter_soup(), cuts in vec(any::<usize>(), 0..6),
    ) {
        for codec in every_delimited() {
            same_for_any_split(&codec, &bytes, &cuts, 5);
        }
    }

    #[test]
    fn any_split_gives_the_same_prefixed_frames(
        bytes in vec(prop_oneof![0_u8..7, any::<u8>()], 0..60),
        cuts in vec(any::<usize>(), 0..6),
    ) {
        for field in FIELDS {
            same_for_any_split(&LengthPrefixed::new(field).max_frame(300), &bytes, &cuts, 300);
        }
    }

    #[test]
    fn any_split_gives_the_same_fixed_frames(
        bytes in vec(any::<u8>(), 0..60), cuts in vec(any::<usize>(), 0..6),
    ) {
        same_for_any_split(&Fixed::of::<7>(), &bytes, &cuts, 7);
    }

    #[test]
    fn what_is_encoded_is_decoded(bodies in vec(delimiter_soup(), 0..8)) {
        for codec in every_delimited() {
            comes_back(&codec, &bodies);
        }
        for field in FIELDS {
            comes_back(&LengthPrefixed::new(field).max_frame(30), &bodies);
        }
        comes_back(&Fixed::of::<3>(), &bodies);
    }

    #[test]
    fn bytes_within_the_limit_are_always_accepted(body in vec(any::<u8>(), 0..400)) {
        for field in FIELDS.into_iter().skip(1) {
            let mut wire = BytesMut::new();
            let mut codec = LengthPrefixed::new(field).max_frame(body.len());
            codec.encode(&body, &mut wire).unwrap();
            prop_assert_eq!(codec.decode(&mut wire).unwrap().unwrap(), &body[..]);
        }
    }
}

#[test]
fn a_line_loses_its_delimiter_and_one_carriage_return() {
    let parts = [b"a\r\nb\n\r\nc\r\r\n".to_vec()];
    assert_eq!(outcome(Delimited::lines(), &parts, 9), ["b\"a\"", "b\"b\"", "b\"\"", "b\"c\\r\""]);
}

#[test]
fn a_frame_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    let mut lines = Delimited::lines().max_frame(3);
    assert_eq!(lines.decode(&mut "abc\r\n".into()).unwrap().unwrap(), "abc");
    let error = lines.decode(&mut "abcd\n".into()).unwrap_err();
    assert!(matches!(error, FrameError::TooLarge { announced: None, limit: 3 }), "{error}");

    let mut prefixed = LengthPrefixed::new(LengthField::U8).max_frame(3);
    assert_eq!(prefixed.decode(&mut "\u{3}abc".into()).unwrap().unwrap(), "abc");
    let error = prefixed.decode(&mut "\u{4}".into()).unwrap_err();
    assert!(matches!(error, FrameError::TooLarge { announced: Some(4), limit: 3 }), "{error}");
}

#[test]
fn a_decoder_that_refused_a_frame_keeps_refusing() {
    let mut buffer = BytesMut::from("toolong\nok\n");
    let mut lines = Delimited::lines().max_frame(3);
    assert!(matches!(lines.decode(&mut buffer), Err(FrameError::TooLarge { .. })));
    assert!(matches!(lines.decode(&mut buffer), Err(FrameError::Poisoned)));
    assert!(buffer.is_empty());
}

#[test]
fn skipping_an_oversized_line_finds_the_next_one() {
    let parts = ["far too", " long", " a line\r", "\nok\n"].map(|part| part.as_bytes().to_vec());
    let seen = outcome(Delimited::lines().max_frame(3).skip_oversized(true), &parts, 3);
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[0].contains("limit of 3 bytes"), "{seen:?}");
    assert_eq!(seen[1], "b\"ok\"");
}

#[test]
fn a_stream_that_ends_within_a_frame_says_so() {
    let unfinished = |result| match result {
        Err(FrameError::Unfinished { received }) => received,
        other => panic!("{other:?}"),
    };
    assert_eq!(unfinished(Delimited::lines().decode_eof(&mut "ab".into())), 2);
    assert_eq!(unfinished(Fixed::of::<4>().decode_eof(&mut "abc".into())), 3);
    let mut prefixed = LengthPrefixed::new(LengthField::U16Be);
    assert_eq!(unfinished(prefixed.decode_eof(&mut "\0\u{9}abc".into())), 5);
    let whole = Delimited::lines().optional_at_end(true).decode_eof(&mut "ab".into());
    assert_eq!(whole.unwrap().unwrap(), "ab");
}

#[test]
fn a_body_that_its_framing_cannot_carry_is_refused_before_it_is_sent() {
    let mut wire = BytesMut::new();
    let error = Delimited::new(b"\r\n").encode("a\r\nb", &mut wire).unwrap_err();
    assert!(error.to_string().contains(r#"b"\r\n""#), "{error}");
    assert!(Delimited::new(b"--").encode("a-", &mut wire).is_err());
    assert!(Delimited::lines().encode("a\r", &mut wire).is_err());
    let error = LengthPrefixed::new(LengthField::U8).encode([0; 256], &mut wire).unwrap_err();
    assert!(error.to_string().contains("256 bytes is above the limit of 255"), "{error}");
    let error = Fixed::of::<4>().encode("abc", &mut wire).unwrap_err();
    assert!(error.to_string().contains("3 bytes; every frame here has 4"), "{error}");
    assert!(wire.is_empty());
}

#[tokio::test]
async fn messages_sent_together_arrive_apart_over_tcp() {
    let (client, server) = tcp_pair().await;
    let mut client = Framed::new(client, LengthPrefixed::new(LengthField::Varint));
    let mut server = Framed::new(server, LengthPrefixed::new(LengthField::Varint));
    for size in [0, 1, 127, 128, 70_000, 3] {
        client.feed(vec![b'x'; size]).await.unwrap();
    }
    soon(async {
        // The largest is above what the sockets buffer: send and receive at the same time.
        let (sent, sizes) = tokio::join!(SinkExt::<&[u8]>::flush(&mut client), async {
            let mut sizes = Vec::new();
            while sizes.len() < 6 {
                sizes.push(server.next().await.unwrap().unwrap().len());
            }
            sizes
        });
        sent.unwrap();
        assert_eq!(sizes, [0, 1, 127, 128, 70_000, 3]);
        drop(client);
        assert!(server.next().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn an_announced_size_takes_no_memory_before_its_bytes_arrive() {
    let (mut client, server) = tcp_pair().await;
    let codec = LengthPrefixed::new(LengthField::U32Be).max_frame(usize::MAX);
    let mut server = Framed::new(server, codec);
    client.write_all(b"\xff\xff\xff\xffabc").await.unwrap();
    client.shutdown().await.unwrap();
    let error = soon(server.next()).await.unwrap().unwrap_err();
    assert!(matches!(error, FrameError::Unfinished { received: 7 }), "{error}");
    assert!(server.read_buffer().capacity() < 1024 * 1024);
}

#[tokio::test]
async fn the_acknowledged_exchange_carries_any_body() {
    let (mut client, mut server) = tcp_pair().await;
    let bodies = [Vec::new(), b"12345".to_vec(), vec![7; 300_000]];
    soon(async {
        for body in &bodies {
            let (sent, received) = tokio::join!(
                send_acknowledged(&mut server, body),
                recv_acknowledged(&mut client, 300_000),
            );
            sent.unwrap();
            assert_eq!(received.unwrap().unwrap(), body);
        }
        drop(server);
        assert!(recv_acknowledged(&mut client, 1).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_size_above_the_limit_is_not_acknowledged() {
    let (mut client, mut server) = tcp_pair().await;
    soon(async {
        let (refused, unheard) = tokio::join!(
            async {
                let refused = recv_size(&mut client, 10).await.unwrap_err();
                drop(client);
                refused
            },
            send_size(&mut server, 11),
        );
        assert!(matches!(refused, FrameError::TooLarge { announced: Some(11), limit: 10 }));
        assert!(matches!(unheard, Err(FrameError::Unfinished { .. })), "{unheard:?}");
    })
    .await;
}

#[tokio::test]
async fn a_size_that_is_no_number_is_shown() {
    let (mut client, mut server) = tcp_pair().await;
    server.write_all(b"command error").await.unwrap();
    let error = soon(recv_size(&mut client, 10)).await.unwrap_err();
    assert!(error.to_string().contains("command error"), "{error}");
}

#[tokio::test]
async fn a_peer_that_closes_within_the_body_leaves_it_unfinished() {
    let (mut client, mut server) = tcp_pair().await;
    soon(async {
        let (sent, received) = tokio::join!(
            async {
                send_size(&mut server, 9).await?;
                server.write_all(b"abc").await?;
                drop(server);
                Ok::<_, FrameError>(())
            },
            recv_acknowledged(&mut client, 10),
        );
        sent.unwrap();
        assert!(matches!(received, Err(FrameError::Unfinished { received: 3 })), "{received:?}");
    })
    .await;
}

// Over a pipe in memory, as the clock is the test's own: it stands still while bytes are under way.
#[tokio::test(start_paused = true)]
async fn a_header_is_over_at_the_first_pause_after_it_is_complete() {
    let (mut client, mut server) = tokio::io::duplex(64);
    let (saw_part, saw_header) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    let sender = async {
        client.write_all(b"na").await.unwrap();
        saw_part.notified().await;
        // A pause before the header is complete does not end it.
        tokio::time::advance(3 * HEADER_PAUSE).await;
        client.write_all(b"me|12").await.unwrap();
        saw_header.notified().await;
        client.write_all(b"body").await.unwrap();
    };
    let receiver = async {
        let complete = |header: &[u8]| {
            saw_part.notify_one();
            header.last().is_some_and(u8::is_ascii_digit)
        };
        let header = read_until_pause(&mut server, complete).await.unwrap().unwrap();
        assert_eq!(header, b"name|12");
        saw_header.notify_one();
        let mut body = [0; 4];
        server.read_exact(&mut body).await.unwrap();
        assert_eq!(&body, b"body");
    };
    soon(async { tokio::join!(sender, receiver) }).await;
}

#[tokio::test]
async fn a_header_that_never_pauses_is_cut_at_its_limit() {
    for (size, fits) in [(MAX_HEADER, true), (MAX_HEADER + 1, false)] {
        let (mut client, mut server) = tcp_pair().await;
        client.write_all(&vec![b'1'; size]).await.unwrap();
        let result = soon(read_until_pause(&mut server, |_| true)).await;
        assert_eq!(result.is_ok(), fits, "{size}");
    }
}

#[tokio::test]
async fn a_header_cut_off_by_the_end_of_the_stream_is_unfinished() {
    let never = |_: &[u8]| false;
    let (mut client, mut server) = tcp_pair().await;
    client.write_all(b"na").await.unwrap();
    client.shutdown().await.unwrap();
    let error = soon(read_until_pause(&mut server, never)).await.unwrap_err();
    assert!(matches!(error, FrameError::Unfinished { received: 2 }), "{error}");
    let (client, mut server) = tcp_pair().await;
    drop(client);
    assert!(soon(read_until_pause(&mut server, never)).await.unwrap().is_none());
}
