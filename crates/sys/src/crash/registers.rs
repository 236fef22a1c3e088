//! The processor's registers at the moment of a signal.

/// The address of the instruction that was running.
pub(super) fn instruction(context: &libc::ucontext_t) -> Option<u64> {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    return Some(context.uc_mcontext.gregs[libc::REG_RIP as usize].cast_unsigned());
    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    return Some(context.uc_mcontext.pc);
    #[allow(unreachable_code, reason = "the two returns above cover the usual targets")]
    {
        let _ = context;
        None
    }
}

/// Calls `show` with the name and the value of every general register.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(super) fn each(context: &libc::ucontext_t, show: &mut dyn FnMut(&str, u64)) {
    const REGISTERS: [(&str, i32); 18] = [
        ("RAX", libc::REG_RAX),
        ("RBX", libc::REG_RBX),
        ("RCX", libc::REG_RCX),
        ("RDX", libc::REG_RDX),
        ("RDI", libc::REG_RDI),
        ("RSI", libc::REG_RSI),
        ("RBP", libc::REG_RBP),
        ("RSP", libc::REG_RSP),
        ("R8", libc::REG_R8),
        ("R9", libc::REG_R9),
        ("R10", libc::REG_R10),
        ("R11", libc::REG_R11),
        ("R12", libc::REG_R12),
        ("R13", libc::REG_R13),
        ("R14", libc::REG_R14),
        ("R15", libc::REG_R15),
        ("RIP", libc::REG_RIP),
        ("EFL", libc::REG_EFL),
    ];
    for (name, index) in REGISTERS {
        show(name, context.uc_mcontext.gregs[index as usize].cast_unsigned());
    }
}

/// Calls `show` with the name and the value of every general register.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
pub(super) fn each(context: &libc::ucontext_t, show: &mut dyn FnMut(&str, u64)) {
    for (number, value) in context.uc_mcontext.regs.iter().enumerate() {
        show(&format!("X{number}"), *value);
    }
    show("SP", context.uc_mcontext.sp);
    show("PC", context.uc_mcontext.pc);
}

/// Other targets: no names known.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(super) fn each(_context: &libc::ucontext_t, _show: &mut dyn FnMut(&str, u64)) {}
