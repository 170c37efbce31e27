package seccomp

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// ScmpSyscall is a system call by its number on x86-64. One that is not there has
// a negative number, which is the same as long as the program runs.
type ScmpSyscall int32

//go:generate go run ./gen

// entry is a system call; where an architecture does not have it its number is
// -1.
type entry struct {
	name       string
	amd64, x86 int16
}

// GetSyscallFromName finds a system call by its name.
func GetSyscallFromName(name string) (ScmpSyscall, error) {
	return GetSyscallFromNameByArch(name, ArchAMD64)
}

// GetSyscallFromNameByArch finds a system call's number for an architecture.
func GetSyscallFromNameByArch(name string, arch ScmpArch) (ScmpSyscall, error) {
	i, known := slices.BinarySearchFunc(table[:], name, func(e entry, name string) int { return strings.Compare(e.name, name) })
	if !known {
		return 0, fmt.Errorf("seccomp: there is no system call %q", name)
	}
	number := table[i].amd64
	if arch == ArchX86 {
		number = table[i].x86
	}
	if number >= 0 {
		return ScmpSyscall(number), nil
	}
	return absent - ScmpSyscall(i), nil
}

// absent is the number of the first entry, where it has none.
const absent ScmpSyscall = -10000

// find is the entry of a number.
func (s ScmpSyscall) find() (entry, error) {
	i := int(absent - s)
	if s >= 0 {
		i = byNumber()[s]
	}
	if i < 0 || i >= len(table) || s >= 0 && ScmpSyscall(table[i].amd64) != s {
		return entry{}, fmt.Errorf("seccomp: there is no system call %d", s)
	}
	return table[i], nil
}

// byNumber is where in the table a number of x86-64 is.
var byNumber = sync.OnceValue(func() map[ScmpSyscall]int {
	where := make(map[ScmpSyscall]int, len(table))
	for i, e := range table {
		if e.amd64 >= 0 {
			where[ScmpSyscall(e.amd64)] = i
		}
	}
	return where
})
