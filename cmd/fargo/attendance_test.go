package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"fargo/secret"
	"fargo/session"
)

// TestAttendsAtTerminal types at a terminal and changes its size. It is as before in the
// end.
func TestAttendsAtTerminal(t *testing.T) {
	s := newExecServer(t, func(in io.Reader, out, _ io.Writer) int {
		b := make([]byte, 16)
		for {
			n, err := in.Read(b)
			if err != nil {
				return 1
			}
			fmt.Fprintf(out, "%q\r\n", b[:n])
			if b[0] == 'q' {
				return 0
			}
		}
	})
	s.sizes = make(chan session.Size, 2)
	s.start()
	screen, tty := openTerminal(t)
	before := termios(t, tty)
	resize(t, tty, 80, 24)
	a := &attendance{
		opened: openedSession{SessionID: testSession, StreamURL: "ws" + strings.TrimPrefix(s.URL, "http"), Token: secret.Exposed{Text: secret.New("token")}},
		in:     tty, out: tty, err: tty, log: discardLog,
	}
	ended := make(chan error)
	go func() { _, err := a.run(t.Context()); ended <- err }()
	for _, size := range []session.Size{{Columns: 80, Rows: 24}, {Columns: 132, Rows: 50}} {
		resize(t, tty, size.Columns, size.Rows)
		if got := <-s.sizes; got != size {
			t.Errorf("the size is %+v, want %+v", got, size)
		}
	}
	for _, key := range []string{"a", "\r", "\x03", "\x1c", "\x1a", "q"} {
		if _, err := screen.WriteString(key); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("%q\r\n", key)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(screen, got); err != nil || string(got) != want {
			t.Fatalf("the screen shows %q, %v, want %q", got, err, want)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(before, termios(t, tty)); d != "" {
		t.Error(d)
	}
}

// TestSignalsAreTyped gives a command the signals that its client gets.
func TestSignalsAreTyped(t *testing.T) {
	s := newExecServer(t, func(in io.Reader, _, _ io.Writer) int {
		b := make([]byte, 1)
		if _, err := in.Read(b); err != nil || b[0] != 0x03 {
			return 1
		}
		return 0
	})
	s.sizes = make(chan session.Size, 1)
	s.start()
	in, typed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer typed.Close()
	_, tty := openTerminal(t)
	resize(t, tty, 80, 24)
	a := &attendance{
		opened: openedSession{SessionID: testSession, StreamURL: "ws" + strings.TrimPrefix(s.URL, "http"), Token: secret.Exposed{Text: secret.New("token")}},
		in:     in, out: tty, err: tty, log: discardLog,
	}
	var end session.End
	ended := make(chan error)
	go func() { var err error; end, err = a.run(t.Context()); ended <- err }()
	<-s.sizes // it attends
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil || end != (session.End{Exited: true}) {
		t.Errorf("it ends with %+v, %v", end, err)
	}
}

// openTerminal makes a terminal: what shows it, and what a program has.
func openTerminal(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return screen, tty
}

func termios(t *testing.T, tty *os.File) *unix.Termios {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

func resize(t *testing.T, tty *os.File, columns, rows uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
		t.Fatal(err)
	}
}
