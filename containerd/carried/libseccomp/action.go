package seccomp

import "fmt"

// ScmpAction is what a filter does with a system call. The upper half of its 32
// bits is a return code, for those that have one.
type ScmpAction uint

// The actions.
const (
	ActInvalid ScmpAction = iota
	ActKillThread
	ActTrap
	ActNotify
	ActErrno
	ActTrace
	ActAllow
	ActLog
	ActKillProcess
)

// SetReturnCode gives ActErrno its error number, and ActTrace what the tracer is
// told. Other actions have none and stay as they are.
func (a ScmpAction) SetReturnCode(code int16) ScmpAction {
	if kind := a & 0xffff; kind == ActErrno || kind == ActTrace {
		return kind | ScmpAction(uint16(code))<<16
	}
	return a
}

// value is what a filter returns to the kernel for it (seccomp(2)).
func (a ScmpAction) value() (uint32, error) {
	switch code := uint32(a >> 16); a & 0xffff {
	case ActKillThread:
		return killThread, nil
	case ActTrap:
		return 0x00030000, nil
	case ActErrno:
		return 0x00050000 | code, nil
	case ActNotify:
		return 0x7fc00000, nil
	case ActTrace:
		return 0x7ff00000 | code, nil
	case ActLog:
		return 0x7ffc0000, nil
	case ActAllow:
		return 0x7fff0000, nil
	case ActKillProcess:
		return 0x80000000, nil
	default:
		return 0, fmt.Errorf("seccomp: there is no action %#x", uint(a))
	}
}

const killThread = 0x00000000
