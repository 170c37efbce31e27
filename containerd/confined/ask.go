package confined

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// Helper starts the processes. It may be used from several goroutines.
type Helper struct {
	// Command is the command line of a program that calls [Serve].
	Command []string
	// Silence is how long a process may show no progress before it is killed.
	Silence time.Duration
}

// errSilent is why a process was killed that made no progress.
var errSilent = errors.New("no progress")

// Do has a process do what is asked and returns when the process has ended. When
// ctx ends first the process is killed, and the error is the context's.
func (h *Helper) Do(ctx context.Context, request Request) (Answer, error) {
	encoded, err := json.Marshal(request)
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	command := exec.CommandContext(ctx, h.Command[0], h.Command[1:]...)
	command.Dir = "/"
	command.Env = []string{} // above all no PATH: nothing there is to be run on images
	command.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	var said complaint
	command.Stderr = &said
	// Open as long as we live: its end tells the process that we are gone.
	input, err := command.StdinPipe()
	if err != nil {
		return Answer{}, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return Answer{}, err
	}
	if err := command.Start(); err != nil {
		return Answer{}, fmt.Errorf("start a process for an image: %w", err)
	}
	silence := time.AfterFunc(h.Silence, func() { cancel(errSilent) })
	defer silence.Stop()
	// A process that does not read is killed, and then this fails.
	_, writeErr := input.Write(encoded)
	answer, answerErr := await(output, func() { silence.Reset(h.Silence) })
	// One that has said all it had to say is about to end, or is not worth waiting for.
	waited := errors.Join(input.Close(), command.Wait())
	switch {
	case answerErr == nil:
		return answer, nil
	case errors.Is(context.Cause(ctx), errSilent):
		return Answer{}, fmt.Errorf("reading the image made no progress for %s", h.Silence)
	case ctx.Err() != nil:
		return Answer{}, context.Cause(ctx)
	case !errors.Is(answerErr, io.EOF):
		return Answer{}, answerErr
	case bytes.Contains(said.text, []byte("out of memory")) || bytes.Contains(said.text, []byte("cannot allocate memory")):
		return Answer{}, Refuse("the image takes more than %d MiB of memory to read", memoryLimit(request)>>20)
	}
	return Answer{}, fmt.Errorf("a process for an image ended: %w: %s", errors.Join(waited, writeErr), said.text)
}

// await reads messages until the last. io.EOF means that there was none.
func await(output io.Reader, progress func()) (Answer, error) {
	for messages := json.NewDecoder(output); ; progress() {
		var m message
		if err := messages.Decode(&m); err != nil {
			return Answer{}, err
		}
		switch {
		case m.Refused:
			return Answer{}, Refusal(m.Error)
		case m.Error != "":
			return Answer{}, errors.New(m.Error)
		case m.Answer != nil:
			return *m.Answer, nil
		}
	}
}

// complaint keeps the first of what is written to it, where a program that dies says
// why.
type complaint struct{ text []byte }

func (c *complaint) Write(p []byte) (int, error) {
	const most = 2000
	c.text = append(c.text, p[:min(len(p), most-len(c.text))]...)
	return len(p), nil
}
