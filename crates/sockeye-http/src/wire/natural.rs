//! The order of names that people expect: numbers by their value, letters of either case together.

use std::cmp::Ordering;

/// Compares two names: `a9` before `a10`, `B` between `a` and `c`. Names that are alike so are ordered by their bytes.
#[must_use]
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        match (left.first(), right.first()) {
            (None, None) => return a.cmp(b),
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (number, other);
                (number, left) = digits(left);
                (other, right) = digits(right);
                let order = number.len().cmp(&other.len()).then_with(|| number.cmp(other));
                if order.is_ne() {
                    return order;
                }
            }
            (Some(x), Some(y)) => {
                let order = x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase());
                if order.is_ne() {
                    return order;
                }
                (left, right) = (&left[1..], &right[1..]);
            }
        }
    }
}

/// The digits at the beginning without the zeros before them, and the rest.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|&&b| b == b'0').count();
    (&digits[zeros..], rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_stand_where_people_look_for_them() {
        let mut names =
            ["a10", "b", "a9", "A1", "a01", "a", "10", "9", "x9y10", "x9y9", "文2", "文10"];
        names.sort_by(|a, b| compare(a.as_bytes(), b.as_bytes()));
        let expected =
            ["9", "10", "a", "A1", "a01", "a9", "a10", "b", "x9y9", "x9y10", "文2", "文10"];
        assert_eq!(names, expected);
    }

    proptest! {
        #[test]
        fn it_is_an_order(names in proptest::collection::vec("[aA01b]{0,5}", 3)) {
            let [a, b, c] = [&names[0], &names[1], &names[2]].map(|name| name.as_bytes());
            prop_assert_eq!(compare(a, b), compare(b, a).reverse());
            prop_assert_eq!(compare(a, b).is_eq(), a == b);
            if compare(a, b).is_le() && compare(b, c).is_le() {
                prop_assert!(compare(a, c).is_le());
            }
        }
    }
}
