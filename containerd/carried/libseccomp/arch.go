package seccomp

import "fmt"

// ScmpArch is an architecture whose system calls a filter judges.
type ScmpArch uint

// The architectures that runc has words for. Only ArchX86 and ArchAMD64, which is
// also ArchNative, can be part of a filter.
const (
	ArchInvalid ScmpArch = iota
	ArchNative
	ArchX86
	ArchAMD64
	ArchX32
	ArchARM
	ArchARM64
	ArchMIPS
	ArchMIPS64
	ArchMIPS64N32
	ArchMIPSEL
	ArchMIPSEL64
	ArchMIPSEL64N32
	ArchPPC
	ArchPPC64
	ArchPPC64LE
	ArchS390
	ArchS390X
	ArchRISCV64
	ArchLOONGARCH64
)

// GetArchFromString finds an architecture by the name that runc has for it:
// "amd64", "x86".
func GetArchFromString(name string) (ScmpArch, error) {
	switch name {
	case "x86":
		return ArchX86, nil
	case "amd64":
		return ArchAMD64, nil
	default:
		return ArchInvalid, fmt.Errorf("seccomp: architecture %q is not one of this machine's", name)
	}
}

// GetNativeArch is the machine's architecture.
func GetNativeArch() (ScmpArch, error) { return ArchAMD64, nil }

// abi is a set of system calls.
type abi struct {
	audit  uint32 // AUDIT_ARCH_… (linux/audit.h), as in seccomp_data.arch
	wide   bool   // arguments have 64 bits
	number func(entry) int
}

var (
	amd64 = abi{audit: 0xc000003e, wide: true, number: func(e entry) int { return int(e.amd64) }}
	x86   = abi{audit: 0x40000003, number: func(e entry) int { return int(e.x86) }}
)

// x32Bit is set in the numbers of x32 system calls, which come under the name of
// x86-64 (asm/unistd.h, __X32_SYSCALL_BIT).
const x32Bit = 0x40000000

// Calls that 32-bit x86 also, or only, makes through one of two system calls,
// whose first argument says which is meant. Source: linux/net.h, linux/ipc.h.
var (
	socketCalls = map[string]uint32{
		"socket": 1, "bind": 2, "connect": 3, "listen": 4, "accept": 5, "getsockname": 6, "getpeername": 7,
		"socketpair": 8, "send": 9, "recv": 10, "sendto": 11, "recvfrom": 12, "shutdown": 13, "setsockopt": 14,
		"getsockopt": 15, "sendmsg": 16, "recvmsg": 17, "accept4": 18, "recvmmsg": 19, "sendmmsg": 20,
	}
	ipcCalls = map[string]uint32{
		"semop": 1, "semget": 2, "semctl": 3, "semtimedop": 4, "msgsnd": 11, "msgrcv": 12, "msgget": 13,
		"msgctl": 14, "shmat": 21, "shmdt": 22, "shmget": 23, "shmctl": 24,
	}
)
