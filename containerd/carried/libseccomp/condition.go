package seccomp

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// ScmpCompareOp is how an argument is compared.
type ScmpCompareOp uint

// The comparisons, which are unsigned. In CompareMaskedEqual the first operand is
// the mask.
const (
	CompareInvalid ScmpCompareOp = iota
	CompareNotEqual
	CompareLess
	CompareLessOrEqual
	CompareEqual
	CompareGreaterEqual
	CompareGreater
	CompareMaskedEqual
)

// ScmpCondition is what an argument of a system call must fulfil.
type ScmpCondition struct {
	Argument uint
	Op       ScmpCompareOp
	Operand1 uint64
	Operand2 uint64
}

// MakeCondition makes a condition for the argument with this index, from 0. Of
// the values CompareMaskedEqual takes two, the others the first.
func MakeCondition(argument uint, op ScmpCompareOp, values ...uint64) (ScmpCondition, error) {
	c := ScmpCondition{Argument: argument, Op: op}
	switch {
	case argument > 5:
		return ScmpCondition{}, fmt.Errorf("seccomp: system calls have no argument %d", argument)
	case op == CompareInvalid || op > CompareMaskedEqual:
		return ScmpCondition{}, fmt.Errorf("seccomp: there is no comparison %d", op)
	case len(values) == 0 || op == CompareMaskedEqual && len(values) < 2:
		return ScmpCondition{}, fmt.Errorf("seccomp: too few operands: %d", len(values))
	}
	c.Operand1 = values[0]
	if len(values) > 1 {
		c.Operand2 = values[1]
	}
	return c, nil
}

// compile goes on past its end if the condition holds, and otherwise past that
// many instructions more. Of an argument of 64 bits the upper half is looked at
// first; where arguments have 32, so have operands.
func (c ScmpCondition) compile(wide bool, past int) code {
	mask, value := ^uint64(0), c.Operand1
	if c.Op == CompareMaskedEqual {
		mask, value = c.Operand1, c.Operand2
	}
	at := argumentAt + 8*uint32(c.Argument)
	lower := append(fetch(at, uint32(mask)), c.last(uint32(value), past)...)
	if !wide {
		return lower
	}
	upper := fetch(at+4, uint32(mask>>32))
	holds, fails := uint8(len(lower)), uint8(len(lower)+past)
	half := uint32(value >> 32)
	switch c.Op {
	case CompareEqual, CompareMaskedEqual:
		upper = append(upper, bpf.JumpIf{Cond: bpf.JumpEqual, Val: half, SkipFalse: fails})
	case CompareNotEqual:
		upper = append(upper, bpf.JumpIf{Cond: bpf.JumpEqual, Val: half, SkipFalse: holds})
	case CompareGreater, CompareGreaterEqual:
		upper = append(upper,
			bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: half, SkipTrue: holds + 1},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: half, SkipFalse: fails})
	case CompareLess, CompareLessOrEqual:
		upper = append(upper,
			bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: half, SkipTrue: fails + 1},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: half, SkipFalse: holds})
	}
	return append(upper, lower...)
}

// fetch gets half an argument.
func fetch(at, mask uint32) code {
	c := code{load(at)}
	if mask != 0xffffffff {
		c = append(c, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask})
	}
	return c
}

// last decides by the half in the accumulator when the other has not.
func (c ScmpCondition) last(half uint32, past int) code {
	fails := uint8(past)
	test := bpf.JumpIf{Val: half}
	switch c.Op {
	case CompareEqual, CompareMaskedEqual:
		test.Cond, test.SkipFalse = bpf.JumpEqual, fails
	case CompareNotEqual:
		test.Cond, test.SkipTrue = bpf.JumpEqual, fails
	case CompareGreater:
		test.Cond, test.SkipFalse = bpf.JumpGreaterThan, fails
	case CompareGreaterEqual:
		test.Cond, test.SkipFalse = bpf.JumpGreaterOrEqual, fails
	case CompareLess:
		test.Cond, test.SkipTrue = bpf.JumpGreaterOrEqual, fails
	case CompareLessOrEqual:
		test.Cond, test.SkipTrue = bpf.JumpGreaterThan, fails
	}
	return code{test}
}
