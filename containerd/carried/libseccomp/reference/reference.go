// Package reference asks the C library libseccomp what its filters would be, so
// that tests can hold ours against it.
package reference

/*
#cgo pkg-config: libseccomp
#include <errno.h>
#include <stdlib.h>
#include <seccomp.h>
*/
import "C"

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"unsafe"

	"golang.org/x/net/bpf"
)

// The architectures, as the library names them.
const (
	X86   = uint32(C.SCMP_ARCH_X86)
	AMD64 = uint32(C.SCMP_ARCH_X86_64)
)

// Rule is one rule of a filter: an action, in the kernel's words, for a system
// call by name.
type Rule struct {
	Name       string
	Action     uint32
	Conditions []Condition
}

// Condition compares an argument. Op counts from 1 in the library's order of
// comparisons.
type Condition struct {
	Argument           uint
	Op                 uint
	Operand1, Operand2 uint64
}

// Number is a system call's number for an architecture; negative when it has
// none. known says whether the library has heard of it.
func Number(name string, arch uint32) (number int, known bool) {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	n := int(C.seccomp_syscall_resolve_name_arch(C.uint32_t(arch), text))
	return n, n != C.__NR_SCMP_ERROR
}

// Name is that of a system call; empty when the library does not know it.
func Name(number int, arch uint32) string {
	text := C.seccomp_syscall_resolve_num_arch(C.uint32_t(arch), C.int(number))
	if text == nil {
		return ""
	}
	defer C.free(unsafe.Pointer(text))
	return C.GoString(text)
}

// Compile makes a filter for x86-64 and 32-bit x86 as runc does. Rules whose
// system call the library does not know are left out.
func Compile(fallback uint32, rules []Rule) ([]bpf.Instruction, error) {
	filter := C.seccomp_init(C.uint32_t(fallback))
	if filter == nil {
		return nil, fmt.Errorf("seccomp_init %#x", fallback)
	}
	defer C.seccomp_release(filter)
	if rc := C.seccomp_arch_add(filter, C.SCMP_ARCH_X86); rc != 0 {
		return nil, fmt.Errorf("seccomp_arch_add: %d", rc)
	}
	if rc := C.seccomp_attr_set(filter, C.SCMP_FLTATR_CTL_OPTIMIZE, 2); rc != 0 {
		return nil, fmt.Errorf("seccomp_attr_set: %d", rc)
	}
	for _, r := range rules {
		number, known := Number(r.Name, AMD64)
		if !known || r.Action == fallback {
			continue
		}
		var conditions [6]C.struct_scmp_arg_cmp
		for i, c := range r.Conditions {
			conditions[i] = C.struct_scmp_arg_cmp{
				arg: C.uint(c.Argument), op: uint32(c.Op),
				datum_a: C.scmp_datum_t(c.Operand1), datum_b: C.scmp_datum_t(c.Operand2),
			}
		}
		if rc := C.seccomp_rule_add_array(filter, C.uint32_t(r.Action), C.int(number), C.uint(len(r.Conditions)), &conditions[0]); rc != 0 {
			return nil, fmt.Errorf("seccomp_rule_add_array %s: %d", r.Name, rc)
		}
	}
	return export(filter)
}

func export(filter C.scmp_filter_ctx) ([]bpf.Instruction, error) {
	file, err := os.CreateTemp("", "seccomp")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if rc := C.seccomp_export_bpf(filter, C.int(file.Fd())); rc != 0 {
		return nil, fmt.Errorf("seccomp_export_bpf: %d", rc)
	}
	return Read(io.NewSectionReader(file, 0, 1<<20))
}

// Read reads a program as the kernel takes it.
func Read(from io.Reader) ([]bpf.Instruction, error) {
	raw, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	program := make([]bpf.RawInstruction, len(raw)/8)
	for i := range program {
		at := raw[8*i:]
		program[i] = bpf.RawInstruction{
			Op: binary.NativeEndian.Uint16(at), Jt: at[2], Jf: at[3], K: binary.NativeEndian.Uint32(at[4:]),
		}
	}
	all, ok := bpf.Disassemble(program)
	if !ok {
		return nil, fmt.Errorf("not all of %d instructions are known", len(program))
	}
	return all, nil
}
