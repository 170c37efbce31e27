package seccomp

import (
	"maps"
	"math"
	"slices"

	"golang.org/x/net/bpf"
)

// Where struct seccomp_data has what (linux/seccomp.h). On a little-endian
// machine the lower half of an argument comes first.
const (
	numberAt   = 0
	archAt     = 4
	argumentAt = 16
)

// code is a piece of a program. It returns, or runs past its end.
type code []bpf.Instruction

func load(at uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: at, Size: 4} }

func give(value uint32) bpf.Instruction { return bpf.RetConstant{Val: value} }

// when runs then if the accumulator compares so, and otherwise skips it.
func when(cond bpf.JumpTest, value uint32, then code) code {
	if len(then) <= math.MaxUint8 {
		return append(code{bpf.JumpIf{Cond: cond, Val: value, SkipFalse: uint8(len(then))}}, then...)
	}
	return append(code{
		bpf.JumpIf{Cond: cond, Val: value, SkipTrue: 1},
		bpf.Jump{Skip: uint32(len(then))},
	}, then...)
}

// compile writes the program: it looks at the architecture, searches for the
// number, and looks at arguments last.
func (f *ScmpFilter) compile() code {
	program := code{load(archAt)}
	for _, r := range f.abis {
		section := append(code{load(numberAt)}, f.search(f.ranges(r), r.wide)...)
		program = append(program, when(bpf.JumpEqual, r.audit, section)...)
	}
	return append(program, give(killThread))
}

// span is a range of numbers, up to the next one's, that are judged alike: by a
// rule with conditions, or always so.
type span struct {
	from   uint32
	rule   *rule
	always uint32
}

// ranges divides all numbers.
func (f *ScmpFilter) ranges(r *rules) []span {
	var all []span
	add := func(s span) {
		if n := len(all); n > 0 && all[n-1].from == s.from {
			all = all[:n-1]
		}
		if n := len(all); n > 0 && s.rule == nil && all[n-1].rule == nil && all[n-1].always == s.always {
			return
		}
		all = append(all, s)
	}
	add(span{from: 0, always: f.fallback})
	for _, number := range slices.Sorted(maps.Keys(r.of)) {
		s := span{from: number, rule: r.of[number]}
		if s.rule.always {
			s.rule, s.always = nil, s.rule.action
		}
		add(s)
		add(span{from: number + 1, always: f.fallback})
	}
	if r.wide {
		add(span{from: x32Bit, always: killThread})
		// A tracer says so that a call is to be skipped (seccomp(2)).
		add(span{from: math.MaxUint32, always: f.fallback})
	}
	return all
}

// search finds the span of the number in the accumulator, by halves.
func (f *ScmpFilter) search(spans []span, wide bool) code {
	if len(spans) > 1 {
		middle := len(spans) / 2
		upper := f.search(spans[middle:], wide)
		return append(when(bpf.JumpGreaterOrEqual, spans[middle].from, upper), f.search(spans[:middle], wide)...)
	}
	s := spans[0]
	if s.rule == nil {
		return code{give(s.always)}
	}
	var c code
	for _, conditions := range s.rule.alternatives {
		c = append(c, all(conditions, wide, s.rule.action)...)
	}
	return append(c, give(f.fallback))
}

// all returns the action if all conditions hold, and otherwise runs past its end.
func all(conditions []ScmpCondition, wide bool, action uint32) code {
	c := code{give(action)}
	for _, condition := range slices.Backward(conditions) {
		c = append(condition.compile(wide, len(c)), c...)
	}
	return c
}
