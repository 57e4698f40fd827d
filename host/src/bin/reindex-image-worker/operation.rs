//! libvips' operations by name, and its errors. The only file that calls C.
//!
//! Options are set as texts and looked up by name when the operation is made, so that one build works with every
//! release of libvips: [`Operation::knows`] checks for an option that an older one lacks.
#![allow(unsafe_code, reason = "libvips is a C library")]

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    ptr::{null, null_mut},
    sync::{Mutex, OnceLock, PoisonError},
};

use libvips::bindings as c;
use reindex::backend::vips::message::{Failed, IMAGE};

type Result<T> = std::result::Result<T, Failed>;

/// How many bytes of libvips' log about an image are kept.
const LOGGED: usize = 1 << 10;

/// What libvips logged about this image.
static LOG: Mutex<String> = Mutex::new(String::new());

/// Receives why a picture will not be made, before libvips cleans up.
static WARN: OnceLock<Box<dyn Fn(Failed) + Send + Sync>> = OnceLock::new();

/// Starts libvips in this process; nothing else in this file works before. `warn` is called with the reason when a
/// [watched](Image::watched) image fails, before libvips cleans up, since it may crash then.
pub(super) fn start(warn: impl Fn(Failed) + Send + Sync + 'static) -> Result<()> {
    let _ = WARN.set(Box::new(warn));
    // SAFETY: the function lives as long as the process, and has the signature that GLib requires.
    unsafe { c::g_log_set_default_handler(Some(logged), null_mut()) };
    // SAFETY: called once, by the only thread; the name outlives the call.
    let failed = unsafe { c::vips_init(c"reindex".as_ptr()) } != 0;
    if failed {
        return Err(failure());
    }
    // SAFETY: libvips is initialised. Every image differs, so a cache would never hit.
    unsafe { c::vips_cache_set_max(0) };
    Ok(())
}

/// The name and version of the decoder, such as `libvips 8.14.1`.
pub(super) fn maker() -> String {
    // SAFETY: a constant of the library.
    format!("libvips {}", unsafe { text(c::vips_version_string()) })
}

/// The operation that loads a file, by the file's bytes; none if it is not an image, or of a kind that is blocked.
pub(super) fn loader(file: &str) -> Option<String> {
    let file = CString::new(file).ok()?;
    // SAFETY: the name outlives the call; the answer is null or a constant of the library.
    let name = unsafe { c::vips_foreign_find_load(file.as_ptr()) };
    // SAFETY: as above. The answer is a class name, and operations are made by nickname.
    (!name.is_null()).then(|| unsafe { text(c::vips_nickname_find(c::g_type_from_name(name))) })
}

/// Returns libvips' error and its log, and clears both.
pub(super) fn failure() -> Failed {
    let failed = reason().unwrap_or_else(|| Failed::Unreadable("libvips gives no reason".to_owned()));
    forget();
    failed
}

/// Why an operation failed, in libvips' words; none if there is no error. The error itself is short sometimes, and the
/// first line of the log has the message of the reader.
fn reason() -> Option<Failed> {
    let (said, logged) = (said(), log());
    let first = logged.lines().find(|line| !line.starts_with("error in tile"));
    if said.trim().is_empty() { meant(&logged) } else { meant(&format!("{said}\n{}", first.unwrap_or_default())) }
}

/// Clears libvips' error and log of another image.
pub(super) fn forget() {
    // SAFETY: libvips is initialised.
    unsafe { c::vips_error_clear() };
    LOG.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

fn said() -> String {
    // SAFETY: the buffer is a text of the library's, and is copied.
    unsafe { text(c::vips_error_buffer()) }
}

fn log() -> String {
    LOG.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Classifies an error text of libvips; none if it is empty.
fn meant(said: &str) -> Option<Failed> {
    let mut lines: Vec<&str> = Vec::new();
    for line in said.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let text = lines.join("; ").replace(&format!("\"{IMAGE}\""), "the file").replace(IMAGE, "the file");
    Some(match text.as_str() {
        "" => return None,
        _ if text.contains("No space left on device") || text.contains("Disk quota exceeded") => Failed::Full,
        _ if text.contains("out of memory") || text.contains("Cannot allocate memory") => Failed::Memory(text),
        _ => Failed::Unreadable(text),
    })
}

/// Keeps and prints the log of a library: its last line is the reason if there is no error text.
#[expect(clippy::print_stderr, reason = "the process that started this one keeps what it prints")]
unsafe extern "C" fn logged(
    _domain: *const c_char,
    _level: c::GLogLevelFlags,
    message: *const c_char,
    _data: *mut c_void,
) {
    // SAFETY: GLib passes a text that lives during the call.
    let message = unsafe { text(message) };
    eprintln!("{message}");
    let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    if log.len() + message.len() < LOGGED {
        log.push_str(&message);
        log.push('\n');
    }
}

/// Warns if the computation of an image's pixels failed.
unsafe extern "C" fn computed(_image: *mut c::VipsImage, _progress: *mut c_void, _data: *mut c_void) {
    // A line of the log may be only a warning.
    if let (false, Some(failed), Some(warn)) = (said().is_empty(), reason(), WARN.get()) {
        warn(failed);
    }
}

/// # Safety
///
/// Null, or a text that ends in a zero and lives during the call.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller guarantees it.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// An image of libvips: mostly a plan for pixels that are not computed yet.
pub(super) struct Image(*mut c::VipsImage);

/// An operation whose options are being set.
pub(super) struct Operation(*mut c::VipsOperation);

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: it holds one reference of its own.
        unsafe { c::g_object_unref(self.0.cast()) };
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        // SAFETY: it holds one reference of its own, and the operation holds its outputs until here.
        unsafe {
            c::vips_object_unref_outputs(self.0.cast());
            c::g_object_unref(self.0.cast());
        }
    }
}

impl Operation {
    /// Makes an operation.
    pub(super) fn new(name: &str) -> Result<Self> {
        let name = CString::new(name)?;
        // SAFETY: the name outlives the call.
        let made = unsafe { c::vips_operation_new(name.as_ptr()) };
        if made.is_null() { Err(failure()) } else { Ok(Self(made)) }
    }

    /// Whether this release of libvips has such an option.
    pub(super) fn knows(&self, option: &str) -> bool {
        let Ok(option) = CString::new(option) else { return false };
        let (mut spec, mut class, mut instance) = (null_mut(), null_mut(), null_mut());
        // SAFETY: all five pointers are valid during the call.
        let found = unsafe {
            c::vips_object_get_argument(
                self.0.cast(),
                option.as_ptr(),
                &raw mut spec,
                &raw mut class,
                &raw mut instance,
            )
        };
        // SAFETY: libvips is initialised.
        unsafe { c::vips_error_clear() };
        found == 0
    }

    /// Sets an option.
    pub(super) fn set(self, option: &str, value: &(impl ToString + ?Sized)) -> Result<Self> {
        let (option, value) = (CString::new(option)?, CString::new(value.to_string())?);
        // SAFETY: both texts outlive the call, which copies them.
        let failed =
            unsafe { c::vips_object_set_argument_from_string(self.0.cast(), option.as_ptr(), value.as_ptr()) } != 0;
        if failed { Err(failure()) } else { Ok(self) }
    }

    /// Sets its input image.
    pub(super) fn input(self, image: &Image) -> Self {
        // SAFETY: every operation that is given one has an `in` that is an image; the call takes its own reference.
        unsafe { c::g_object_set(self.0.cast(), c"in".as_ptr(), image.0, null::<c_char>()) };
        self
    }

    /// Runs it.
    pub(super) fn run(mut self) -> Result<Self> {
        // SAFETY: the pointer is replaced by the operation that was built, which takes over the reference.
        let failed = unsafe { c::vips_cache_operation_buildp(&raw mut self.0) } != 0;
        if failed { Err(failure()) } else { Ok(self) }
    }

    /// Runs it and returns the image it makes.
    pub(super) fn image(self) -> Result<Image> {
        let done = self.run()?;
        let mut image: *mut c::VipsImage = null_mut();
        // SAFETY: every operation that is asked has an `out` that is an image; the call returns a new reference.
        unsafe { c::g_object_get(done.0.cast(), c"out".as_ptr(), &raw mut image, null::<c_char>()) };
        if image.is_null() { Err(failure()) } else { Ok(Image(image)) }
    }
}

impl Image {
    /// Makes an operation with this image as its input.
    pub(super) fn operation(&self, name: &str) -> Result<Operation> {
        Ok(Operation::new(name)?.input(self))
    }

    pub(super) fn width(&self) -> u32 {
        // SAFETY: as everywhere below, the image lives as long as its owner.
        positive(unsafe { c::vips_image_get_width(self.0) })
    }

    pub(super) fn height(&self) -> u32 {
        // SAFETY: see `width`.
        positive(unsafe { c::vips_image_get_height(self.0) })
    }

    pub(super) fn bands(&self) -> u32 {
        // SAFETY: see `width`.
        positive(unsafe { c::vips_image_get_bands(self.0) })
    }

    pub(super) fn pages(&self) -> u32 {
        // SAFETY: see `width`.
        positive(unsafe { c::vips_image_get_n_pages(self.0) })
    }

    /// The EXIF orientation, 1 to 8.
    pub(super) fn orientation(&self) -> u8 {
        // SAFETY: see `width`.
        u8::try_from(unsafe { c::vips_image_get_orientation(self.0) }).unwrap_or(1)
    }

    /// The interpretation of its numbers, in libvips' word: `srgb`, `b-w`, `cmyk`, ….
    pub(super) fn interpretation(&self) -> String {
        // SAFETY: both calls only read; the answer is a constant of the library.
        unsafe {
            let interpretation = c::vips_image_get_interpretation(self.0);
            text(c::vips_enum_nick(c::vips_interpretation_get_type(), interpretation as c_int))
        }
    }

    /// The packing of its pixels, in libvips' word: `none`, `labq` or `rad`.
    pub(super) fn coding(&self) -> String {
        // SAFETY: see `interpretation`.
        unsafe {
            let coding = c::vips_image_get_coding(self.0);
            text(c::vips_enum_nick(c::vips_coding_get_type(), coding as c_int))
        }
    }

    /// Returns the same image; `warn` is called if its pixels cannot be computed, before libvips cleans up.
    pub(super) fn watched(&self) -> Result<Self> {
        // A listener of an image is called for all its users.
        let copy = self.without(|_| false)?;
        type Computed = unsafe extern "C" fn(*mut c::VipsImage, *mut c_void, *mut c_void);
        // SAFETY: a signal's function is stored as one without arguments and called with those of the signal: the
        // image, its progress, and the data set here.
        let listener = unsafe { std::mem::transmute::<Computed, unsafe extern "C" fn()>(computed) };
        // SAFETY: the function and the name live as long as the process, the image as long as its owner.
        unsafe {
            c::vips_image_set_progress(copy.0, 1);
            let name = c"posteval".as_ptr();
            c::g_signal_connect_data(copy.0.cast(), name, Some(listener), null_mut(), None, 0);
        }
        Ok(copy)
    }

    /// The type of its numbers, in libvips' word: `uchar`, `ushort`, `float`, ….
    pub(super) fn numbers(&self) -> String {
        // SAFETY: see `interpretation`.
        unsafe {
            let format = c::vips_image_get_format(self.0);
            text(c::vips_enum_nick(c::vips_band_format_get_type(), format as c_int))
        }
    }

    /// A text among its metadata.
    pub(super) fn attached(&self, name: &CStr) -> Option<String> {
        let mut said: *const c_char = null();
        // SAFETY: the text belongs to the image, and is copied.
        unsafe {
            let known = c::vips_image_get_typeof(self.0, name.as_ptr()) != 0;
            let read = known && c::vips_image_get_string(self.0, name.as_ptr(), &raw mut said) == 0;
            read.then(|| text(said))
        }
    }

    /// The colour profile in it.
    pub(super) fn profile(&self) -> Option<Vec<u8>> {
        let (mut data, mut length): (*const c_void, c::size_t) = (null(), 0);
        // SAFETY: the bytes belong to the image, and are copied.
        unsafe {
            let known = c::vips_image_get_typeof(self.0, PROFILE.as_ptr()) != 0;
            let read = known && c::vips_image_get_blob(self.0, PROFILE.as_ptr(), &raw mut data, &raw mut length) == 0;
            let length = usize::try_from(length).ok()?;
            (read && !data.is_null()).then(|| std::slice::from_raw_parts(data.cast::<u8>(), length).to_vec())
        }
    }

    /// The names of all its metadata, size and type included.
    pub(super) fn fields(&self) -> Vec<CString> {
        let mut names = Vec::new();
        // SAFETY: the answer is a list of texts that ends in a null, and this call frees it.
        unsafe {
            let list = c::vips_image_get_fields(self.0);
            let mut at = list;
            while !at.is_null() && !(*at).is_null() {
                names.push(CStr::from_ptr(*at).to_owned());
                at = at.add(1);
            }
            c::g_strfreev(list);
        }
        names
    }

    /// Returns the same image without some of its metadata.
    pub(super) fn without(&self, dropped: impl Fn(&CStr) -> bool) -> Result<Self> {
        // The users of an image share its metadata: a copy has its own.
        let copy = self.operation("copy")?.image()?;
        for name in copy.fields().iter().filter(|name| dropped(name)) {
            // SAFETY: this is the only reference to the copy.
            unsafe { c::vips_image_remove(copy.0, name.as_ptr()) };
        }
        Ok(copy)
    }

    /// Returns the same pixels, computed: in memory, or in a file that is removed with the image.
    pub(super) fn computed(&self, on_disk: bool) -> Result<Self> {
        // SAFETY: both make an empty image, or null.
        let made =
            unsafe { if on_disk { c::vips_image_new_temp_file(c"%s.v".as_ptr()) } else { c::vips_image_new_memory() } };
        if made.is_null() {
            return Err(failure());
        }
        let made = Self(made);
        // SAFETY: both images live during the call.
        let failed = unsafe { c::vips_image_write(self.0, made.0) } != 0;
        if failed { Err(failure()) } else { Ok(made) }
    }
}

/// Where libvips keeps the colour profile.
pub(super) const PROFILE: &CStr = c"icc-profile-data";

fn positive(number: c_int) -> u32 {
    u32::try_from(number).unwrap_or(0)
}
