package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// screen shows one picture after another.
type screen struct {
	w        io.Writer
	terminal bool
	size     func() (columns, rows int) // of the terminal
	last     string
}

func newScreen(w io.Writer) *screen {
	return &screen{w: w, terminal: isTerminal(w), size: func() (columns, rows int) {
		if f, ok := w.(*os.File); ok {
			columns, rows, _ = term.GetSize(int(f.Fd())) // 0 where there is none
		}
		return columns, rows
	}}
}

// show shows a picture in the place of the last one, or below it where there is no terminal.
func (s *screen) show(picture string) error {
	if s.terminal {
		picture = fit(picture, s.size)
	}
	if picture == s.last {
		return nil
	}
	out := picture
	if s.terminal {
		if n := strings.Count(s.last, "\n"); n > 0 {
			// Up to where the last picture began, and clear what is below.
			out = fmt.Sprintf("\x1b[%dF\x1b[J%s", n, picture)
		}
	}
	s.last = picture
	_, err := io.WriteString(s.w, out)
	return err
}

// fit cuts a picture to the size of a terminal, or else the next one could not be drawn in
// its place. A terminal without a size shows all of it.
func fit(picture string, size func() (columns, rows int)) string {
	columns, rows := size()
	if columns <= 0 || rows <= 1 {
		return picture
	}
	lines := strings.Split(strings.TrimSuffix(picture, "\n"), "\n")
	if most := rows - 1; len(lines) > most { // the cursor is in the last row
		lines = append(lines[:most-1], fmt.Sprintf("(%d more lines)", len(lines)-most+1))
	}
	for i, line := range lines {
		if letters := []rune(line); len(letters) > columns {
			lines[i] = string(letters[:columns])
		}
	}
	return strings.Join(lines, "\n") + "\n"
}
