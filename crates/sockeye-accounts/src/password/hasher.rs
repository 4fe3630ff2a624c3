//! Making and checking hashes: so many at once, so many waiting, and no more.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use sockeye::pool::{Pool, PoolLimits};

use super::{Argon2id, HashCost, Kept, OUTPUT, PasswordHash, SALT, memory::Memory};
use crate::{Error, Result, Secret, random};

/// Computes hashes on a few threads; clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    pool: Pool,
    memory: Arc<Memory>,
    cost: HashCost,
    /// What a password is checked against where there is none, so that the time is the same.
    dummy: Argon2id,
}

/// What came of checking a password.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) is_right: bool,
    /// The hash to keep from now on, if the kept one was made at another cost or by another program.
    pub(crate) renewed: Option<PasswordHash>,
}

impl Hasher {
    pub(crate) fn new(cost: HashCost, limits: PoolLimits) -> Self {
        let dummy =
            Argon2id { cost, salt: random::bytes::<SALT>().into(), output: random::bytes() };
        Self { pool: Pool::new(limits), memory: Arc::default(), cost, dummy }
    }

    /// Hashes a password that is to be set.
    pub(crate) async fn hash(&self, password: &Secret) -> Result<PasswordHash> {
        let (memory, cost, password) = (Arc::clone(&self.memory), self.cost, password.clone());
        self.pool.run(move || fresh(&memory, cost, &password)).await?
    }

    /// Checks a password against what is kept, or against nothing, which takes the time of a wrong one for a hash of our
    /// own of today's cost. One brought from elsewhere, or of another cost, takes its own time until its owner logs in.
    ///
    /// `held` is dropped when the work is done, even if the caller has gone by then.
    pub(crate) async fn verify(
        &self,
        password: &Secret,
        kept: Option<&PasswordHash>,
        held: impl Send + 'static,
    ) -> Result<Verified> {
        let (memory, cost, password) = (Arc::clone(&self.memory), self.cost, password.clone());
        let (kept, dummy) = (kept.cloned(), self.dummy.clone());
        let work = move || {
            let _held = held;
            let (is_right, is_current) = match kept.map(|kept| kept.0) {
                None => (check(&memory, &dummy, &password).map(|_| false)?, true),
                Some(Kept::Own(own)) => (check(&memory, &own, &password)?, own.cost == cost),
                Some(Kept::Brought(brought)) => {
                    let is_right = brought.is_of(&password);
                    // What a right one pays for its new hash: a wrong one is as slow, and no quicker than where there
                    // is none. That it is slower tells that there is one; see `Accounts::login`.
                    if !is_right {
                        check(&memory, &dummy, &password)?;
                    }
                    (is_right, false)
                }
            };
            let renewed =
                (is_right && !is_current).then(|| fresh(&memory, cost, &password)).transpose()?;
            Ok(Verified { is_right, renewed })
        };
        self.pool.run(work).await?
    }
}

fn fresh(memory: &Memory, cost: HashCost, password: &Secret) -> Result<PasswordHash> {
    let salt: Box<[u8]> = random::bytes::<SALT>().into();
    let output = compute(memory, cost, password, &salt)?;
    Ok(PasswordHash(Kept::Own(Argon2id { cost, salt, output })))
}

/// Whether it is the hash of this password; compared in constant time.
fn check(memory: &Memory, kept: &Argon2id, password: &Secret) -> Result<bool> {
    let output = compute(memory, kept.cost, password, &kept.salt)?;
    Ok(blake3::Hash::from_bytes(output) == kept.output)
}

fn compute(
    memory: &Memory,
    cost: HashCost,
    password: &Secret,
    salt: &[u8],
) -> Result<[u8; OUTPUT]> {
    let params = Params::new(cost.memory(), cost.passes(), cost.lanes(), Some(OUTPUT))
        .map_err(|_| Error::Invalid("the cost of a password's hash is out of range"))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = [0; OUTPUT];
    memory
        .with_blocks(cost, |blocks| {
            let password = password.expose().as_bytes();
            argon2.hash_password_into_with_memory(password, salt, &mut output, blocks)
        })
        .map_err(|_| Error::Invalid("this password cannot be hashed"))?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> HashCost {
        HashCost::new(64, 1, 1).unwrap()
    }

    fn hasher(cost: HashCost) -> Hasher {
        Hasher::new(cost, PoolLimits { running: 1, waiting: 4 })
    }

    #[test]
    fn a_hash_is_the_one_that_the_reference_implementation_makes() {
        // `echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1` of the reference implementation.
        let cost = HashCost::new(65536, 2, 1).unwrap();
        let password = Secret::new("password");
        let output = compute(&Memory::default(), cost, &password, b"somesalt").unwrap();
        let expected = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7";
        assert_eq!(data_encoding::HEXLOWER.encode(&output), expected);
    }

    #[tokio::test]
    async fn a_password_is_right_only_for_its_own_hash() {
        let hasher = hasher(cheap());
        let (right, wrong) = (Secret::new("right password"), Secret::new("wrong password"));
        let kept = hasher.hash(&right).await.unwrap();
        assert!(hasher.verify(&right, Some(&kept), ()).await.unwrap().is_right);
        assert!(!hasher.verify(&wrong, Some(&kept), ()).await.unwrap().is_right);
        assert!(!hasher.verify(&right, None, ()).await.unwrap().is_right);
        assert_ne!(hasher.hash(&right).await.unwrap(), kept, "each has its own salt");
    }

    #[tokio::test]
    async fn a_hash_of_another_program_is_replaced_when_the_password_is_right() {
        let hasher = hasher(cheap());
        let (right, wrong) = (Secret::new("correct horse"), Secret::new("correct house"));
        let brought = "$5$rounds=1000$x$iQZpM1omHUPunsHyFj3BDlScQB2YZdUeOB22XlNl6w3";
        let brought: PasswordHash = brought.parse().unwrap();
        let verified = hasher.verify(&wrong, Some(&brought), ()).await.unwrap();
        assert!(!verified.is_right && verified.renewed.is_none());
        let verified = hasher.verify(&right, Some(&brought), ()).await.unwrap();
        let renewed = verified.renewed.unwrap();
        assert_eq!((verified.is_right, renewed.cost()), (true, Some(cheap())));
        assert!(hasher.verify(&right, Some(&renewed), ()).await.unwrap().is_right);
    }

    #[tokio::test]
    async fn a_hash_made_at_another_cost_is_renewed_when_the_password_is_right() {
        let (right, wrong) = (Secret::new("right password"), Secret::new("wrong password"));
        let kept = hasher(cheap()).hash(&right).await.unwrap();
        let dearer = hasher(HashCost::new(128, 2, 1).unwrap());
        assert!(dearer.verify(&wrong, Some(&kept), ()).await.unwrap().renewed.is_none());
        let renewed = dearer.verify(&right, Some(&kept), ()).await.unwrap().renewed.unwrap();
        let verified = dearer.verify(&right, Some(&renewed), ()).await.unwrap();
        assert!(verified.is_right && verified.renewed.is_none());
    }
}
