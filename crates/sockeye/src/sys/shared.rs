//! Memory that forked processes share.

#![expect(unsafe_code, reason = "shared mappings have no safe form")]

use std::{fmt, io, marker::PhantomData, ops::Deref, ptr::NonNull};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// Types that may lie in memory shared between processes.
///
/// # Safety
/// All-zero bytes must be a valid value, every access must go through atomics, and the type must
/// hold no pointer and need no drop.
pub(crate) unsafe trait Shareable: Sync {}

// SAFETY: an atomic is valid as zeroes and holds no pointer.
unsafe impl Shareable for std::sync::atomic::AtomicU64 {}

/// A slice of `T` in memory shared with every process forked after its creation.
///
/// It starts as all zeroes and is unmapped, in this process, when dropped.
pub(crate) struct Shared<T: Shareable> {
    base: NonNull<T>,
    len: usize,
    marker: PhantomData<T>,
}

impl<T: Shareable> Shared<T> {
    /// Maps room for `len` values.
    ///
    /// # Errors
    /// Whatever mmap(2) refuses.
    pub(crate) fn zeroed(len: usize) -> io::Result<Self> {
        let bytes = len.max(1) * size_of::<T>();
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice overlaps nothing.
        let base = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
            )
        }?;
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, len, marker: PhantomData })
    }
}

impl<T: Shareable> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the mapping holds `len` values, page-aligned, zeroed at first, which is a valid
        // `T` by `Shareable`, and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.len) }
    }
}

impl<T: Shareable> Drop for Shared<T> {
    fn drop(&mut self) {
        let bytes = self.len.max(1) * size_of::<T>();
        // SAFETY: this is the mapping made in `zeroed`, and no reference into it outlives `self`.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), bytes) };
    }
}

// SAFETY: the memory is only reached through `&[T]`, and `T: Sync` by `Shareable`.
unsafe impl<T: Shareable> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Shareable> Sync for Shared<T> {}

impl<T: Shareable> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("len", &self.len).finish_non_exhaustive()
    }
}
