package seccomp

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/net/bpf"
)

// ScmpFilter is a filter in the making. It judges x86-64, and what AddArch adds.
type ScmpFilter struct {
	fallback uint32
	abis     []*rules

	log, ssb, waitKill, noNewPrivs bool // kept for runc, which loads the filter
}

// rules are those of one set of system calls, by number.
type rules struct {
	abi
	of map[uint32]*rule
}

// rule is what becomes of one system call: action when all conditions of one of
// the alternatives hold, or always.
type rule struct {
	action       uint32
	always       bool
	alternatives [][]ScmpCondition
}

// VersionError says that library or kernel are too old for something. There is
// no such thing here: the kernel refuses what it does not know.
type VersionError struct{}

func (VersionError) Error() string { return "seccomp: not supported" }

// GetAPI is the level of the kernel's interface that is spoken: the one of Linux
// 5.19.
func GetAPI() (uint, error) { return 7, nil }

// GetLibraryVersion is that of the C library, none of which is in here.
func GetLibraryVersion() (major, minor, micro uint) { return 0, 0, 0 }

// NewFilter begins a filter that does this with all system calls without a rule.
func NewFilter(fallback ScmpAction) (*ScmpFilter, error) {
	value, err := fallback.value()
	if err != nil {
		return nil, err
	}
	return &ScmpFilter{fallback: value, abis: []*rules{newRules(amd64)}}, nil
}

func newRules(a abi) *rules { return &rules{abi: a, of: map[uint32]*rule{}} }

// AddArch makes the filter judge an architecture's system calls too. It comes
// before the rules.
func (f *ScmpFilter) AddArch(arch ScmpArch) error {
	switch arch {
	case ArchAMD64, ArchNative:
		return nil
	case ArchX86:
		for _, r := range f.abis {
			if r.audit == x86.audit {
				return nil
			}
		}
		f.abis = append(f.abis, newRules(x86))
		return nil
	default:
		return fmt.Errorf("seccomp: architecture %d cannot be part of a filter", arch)
	}
}

// AddRule does something with a system call, whatever its arguments.
func (f *ScmpFilter) AddRule(call ScmpSyscall, action ScmpAction) error {
	return f.AddRuleConditional(call, action, nil)
}

// AddRuleConditional does something with a system call when all conditions hold,
// on every architecture that has the call.
func (f *ScmpFilter) AddRuleConditional(call ScmpSyscall, action ScmpAction, conditions []ScmpCondition) error {
	value, err := action.value()
	if err != nil {
		return err
	}
	e, err := call.find()
	if err != nil {
		return err
	}
	for _, r := range f.abis {
		if err := r.add(e, value, conditions); err != nil {
			return fmt.Errorf("seccomp: system call %s: %w", e.name, err)
		}
	}
	return nil
}

// add adds a rule for a call and, on 32-bit x86, for the other way to make it.
// There the arguments are in memory, where no filter sees them: conditions on
// the first are left out, others apply to what stands in their place, as
// libseccomp has it.
func (r *rules) add(e entry, action uint32, conditions []ScmpCondition) error {
	if number := r.number(e); number >= 0 {
		if err := r.put(uint32(number), action, conditions); err != nil {
			return err
		}
	}
	if r.wide {
		return nil
	}
	for _, way := range []struct {
		number uint32
		calls  map[string]uint32
	}{{socketcall, socketCalls}, {ipc, ipcCalls}} {
		which, has := way.calls[e.name]
		if !has {
			continue
		}
		through := []ScmpCondition{{Argument: 0, Op: CompareEqual, Operand1: uint64(which)}}
		for _, c := range conditions {
			if c.Argument != 0 {
				through = append(through, c)
			}
		}
		if err := r.put(way.number, action, through); err != nil {
			return err
		}
	}
	return nil
}

// Numbers on 32-bit x86.
const socketcall, ipc = 102, 117

func (r *rules) put(number, action uint32, conditions []ScmpCondition) error {
	known := r.of[number]
	if known == nil {
		known = &rule{action: action}
		r.of[number] = known
	}
	if known.action != action {
		return fmt.Errorf("its rules disagree: %#x and %#x", known.action, action)
	}
	if len(conditions) == 0 {
		known.always = true
	}
	known.alternatives = append(known.alternatives, conditions)
	return nil
}

// ExportBPF writes the filter as the kernel takes it: an array of struct
// sock_filter.
func (f *ScmpFilter) ExportBPF(file *os.File) error {
	program, err := bpf.Assemble(f.compile())
	if err != nil {
		return fmt.Errorf("seccomp: assemble filter: %w", err)
	}
	raw := make([]byte, 0, 8*len(program))
	for _, in := range program {
		raw = binary.NativeEndian.AppendUint16(raw, in.Op)
		raw = append(raw, in.Jt, in.Jf)
		raw = binary.NativeEndian.AppendUint32(raw, in.K)
	}
	_, err = file.Write(raw)
	return err
}

// SetOptimize does nothing: there is one kind of program, and it is fast.
func (f *ScmpFilter) SetOptimize(int) error { return nil }

// SetLogBit asks the kernel to log what is not allowed.
func (f *ScmpFilter) SetLogBit(on bool) error { f.log = on; return nil }

// GetLogBit is what SetLogBit set.
func (f *ScmpFilter) GetLogBit() (bool, error) { return f.log, nil }

// SetSSB leaves speculative store bypass, which the kernel turns off with a
// filter, as it is.
func (f *ScmpFilter) SetSSB(on bool) error { f.ssb = on; return nil }

// GetSSB is what SetSSB set.
func (f *ScmpFilter) GetSSB() (bool, error) { return f.ssb, nil }

// SetWaitKill has whoever waits for an answer of ActNotify react to fatal signals
// alone.
func (f *ScmpFilter) SetWaitKill(on bool) error { f.waitKill = on; return nil }

// GetWaitKill is what SetWaitKill set.
func (f *ScmpFilter) GetWaitKill() (bool, error) { return f.waitKill, nil }

// SetNoNewPrivsBit has no_new_privs set before the filter is loaded.
func (f *ScmpFilter) SetNoNewPrivsBit(on bool) error { f.noNewPrivs = on; return nil }

// GetNoNewPrivsBit is what SetNoNewPrivsBit set.
func (f *ScmpFilter) GetNoNewPrivsBit() (bool, error) { return f.noNewPrivs, nil }
