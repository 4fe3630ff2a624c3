//! The query of a listing: which column it is sorted by.

use sockeye_node::{Order, SortKey};

/// Reads `sort=name|size|time` and `order=asc|desc`; anything else is passed over.
#[must_use]
pub fn order(query: Option<&[u8]>) -> Order {
    let mut order = Order::default();
    for pair in query.unwrap_or_default().split(|&b| b == b'&') {
        match pair {
            b"sort=name" => order.key = SortKey::Name,
            b"sort=size" => order.key = SortKey::Size,
            b"sort=time" => order.key = SortKey::Modified,
            b"order=asc" => order.descending = false,
            b"order=desc" => order.descending = true,
            _ => {}
        }
    }
    order
}

/// Whether one of the query's parts is `name` alone, or without a value, as a form has it.
#[must_use]
pub fn has(query: Option<&[u8]>, name: &str) -> bool {
    query.is_some_and(|query| {
        query
            .split(|&b| b == b'&')
            .any(|part| part.strip_suffix(b"=").unwrap_or(part) == name.as_bytes())
    })
}

/// The values of `sort` and `order` that ask for this order.
#[must_use]
pub fn of(order: Order) -> (&'static str, &'static str) {
    let key = match order.key {
        SortKey::Name => "name",
        SortKey::Size => "size",
        SortKey::Modified => "time",
    };
    (key, if order.descending { "desc" } else { "asc" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_back() {
        for key in [SortKey::Name, SortKey::Size, SortKey::Modified] {
            for descending in [false, true] {
                let wanted = Order { key, descending };
                let (sort, direction) = of(wanted);
                let query = format!("sort={sort}&order={direction}");
                assert_eq!(order(Some(query.as_bytes())), wanted);
            }
        }
        assert_eq!(order(Some(b"sort=%00&&order=up")), Order::default());
        assert_eq!(order(None), Order::default());
    }
}
