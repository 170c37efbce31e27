package confined

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// How much memory a process may have. An honest layer of a million files takes a
// third of a gigabyte to unpack, for each file's name is kept until the end.
const (
	unpackMemory = 1 << 30
	readMemory   = 256 << 20
)

// memoryLimit is how much memory a request's process may have, in bytes.
func memoryLimit(r Request) uint64 {
	if r.Unpack != nil {
		return unpackMemory
	}
	return readMemory
}

// Serve is all that a process does: it reads a request from input, does what it
// says, and writes what came of it to output. The process must be one that
// [Helper] started. It ends, at once, when input does.
func Serve(input, output *os.File) error {
	var request Request
	requests := json.NewDecoder(input)
	if err := requests.Decode(&request); err != nil {
		return fmt.Errorf("read a request: %w", err)
	}
	if err := confine(memoryLimit(request)); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, input) // returns when whoever asked has gone
		os.Exit(1)
	}()
	messages := json.NewEncoder(output)
	answer, err := serve(request, func() { _ = messages.Encode(message{}) })
	if err == nil {
		return messages.Encode(message{Answer: &answer})
	}
	var refused Refusal
	return messages.Encode(message{Error: err.Error(), Refused: errors.As(err, &refused)})
}

// serve calls progress now and then.
func serve(r Request, progress func()) (Answer, error) {
	switch {
	case r.Accounts != nil:
		return r.Accounts.serve(r.At)
	case r.Fill != nil:
		return Answer{}, r.Fill.serve(r.At)
	case r.Unpack != nil:
		return r.Unpack.serve(context.Background(), r.At, progress)
	}
	return Answer{}, errors.New("nothing is asked for")
}

// confine bounds this process's memory, and makes it the first that the kernel
// ends when the machine runs out.
func confine(memory uint64) error {
	// Counts what a Go program really has, not the address space that it reserves.
	// Source: getrlimit(2), RLIMIT_DATA.
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: memory, Max: memory}); err != nil {
		return fmt.Errorf("limit memory: %w", err)
	}
	debug.SetMemoryLimit(int64(memory / 2)) // from here on garbage is collected eagerly
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core dumps: %w", err)
	}
	// Source: proc(5), /proc/pid/oom_score_adj; 1000 is the most.
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0); err != nil {
		return fmt.Errorf("be ended first when memory runs out: %w", err)
	}
	return nil
}
