package logs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"fargo/desired"
)

// senders is how many write at once in the storm; each has a stream.
const senders = 8

// stormDir names, to a child of this test, the store to storm.
const stormDir = "LOGS_TEST_STORM"

// TestMain lets a child of this test be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(stormDir); dir != "" {
		if err := storm(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// storm sends batches until it is killed, and says on stdout which were
// acknowledged. A sender goes on where the store says that it is.
func storm(dir string) error {
	s, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	failed := make(chan error)
	var printing sync.Mutex
	for i := range senders {
		go func() {
			for at := int64(0); ; {
				to, err := s.Append(context.Background(), stretch(i, at))
				if err != nil {
					failed <- err
					return
				}
				printing.Lock()
				fmt.Println(i, to)
				printing.Unlock()
				at = to
			}
		}()
	}
	return <-failed
}

// stretch is the batch a sender makes at a position: one to three events, of
// which each says what position it is from.
func stretch(sender int, from int64) desired.LogBatch {
	b := desired.LogBatch{Target: target("g", fmt.Sprint("s", sender)), Source: "f", From: from, To: from + 1 + from%3}
	for p := b.From; p < b.To; p++ {
		b.Events = append(b.Events, desired.LogEvent{Timestamp: p + 1, Message: strconv.FormatInt(p, 10)})
	}
	return b
}

// TestKilledUnderLoad kills a process that is appending, again and again:
// nothing acknowledged is lost, and although senders repeat what they are not
// sure of, nothing is there twice.
func TestKilledUnderLoad(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	must(t, s.CreateGroup(t.Context(), testScope, Group{Name: "g"}))
	for i := range senders {
		must(t, s.CreateStream(t.Context(), testScope, "g", fmt.Sprint("s", i)))
	}
	must(t, s.Close())
	var acked [senders]int64
	for round := range 5 {
		kill(t, dir, 500+300*round, &acked)
		s := open(t, dir)
		for i, want := range acked {
			checkStream(t, s, fmt.Sprint("s", i), want)
		}
		must(t, s.Close())
	}
}

// kill storms the store until n batches were acknowledged, and notes how far
// every sender got.
func kill(t *testing.T, dir string, n int, acked *[senders]int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), stormDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer cmd.Wait()
	lines := bufio.NewReader(out)
	for count := 0; ; count++ {
		if count == n {
			must(t, cmd.Process.Kill())
		}
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // what was written before the kill is read as well
		}
		must(t, err)
		i, to, _ := strings.Cut(strings.TrimSpace(line), " ")
		sender, err := strconv.Atoi(i)
		must(t, err)
		position, err := strconv.ParseInt(to, 10, 64)
		must(t, err)
		acked[sender] = max(acked[sender], position)
	}
}

// checkStream reads a stream: the positions from 0 on, each once, at least up
// to the one acknowledged.
func checkStream(t *testing.T, s *Store, name string, acked int64) {
	t.Helper()
	next := int64(0)
	for token := ""; ; {
		p := read(t, s, "g", name, Read{FromHead: true, Token: token})
		for _, e := range p.Events {
			if e.Message != strconv.FormatInt(next, 10) {
				t.Fatalf("stream %s: %s where %d should be", name, e.Message, next)
			}
			next++
		}
		if p.Forward == token {
			break
		}
		token = p.Forward
	}
	if next < acked {
		t.Fatalf("stream %s ends at %d; %d was acknowledged", name, next, acked)
	}
}
