// Package seccomp makes seccomp filters of rules, for runc as Fargo carries it,
// on x86-64. It stands in for the Go binding of the C library libseccomp: same
// import path, of its API what runc calls, and the same meaning, which the tests
// hold against the C library. The C library takes a third of the processor time
// that runc needs to create a container for compiling Docker's default profile;
// this takes a fiftieth of that.
//
// It knows 64-bit and 32-bit x86. It refuses what runc's default profiles never
// have: rules of one system call that disagree in their action. The x32 ABI and
// all other architectures get what libseccomp gives them when they are not named,
// the end of the calling thread.
package seccomp
