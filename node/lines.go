package node

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxEvent is the most an event's message may have, in bytes of UTF-8: 256 KiB
// with what CloudWatch Logs counts for each event on top.
// Source: CloudWatch Logs API, PutLogEvents.
const (
	maxEvent      = 256<<10 - eventOverhead
	eventOverhead = 26
)

// line is an event found in output, and where in the output it ends.
type line struct {
	message string
	end     int64
}

// splitter finds events in output. A line is an event once its newline is
// there: a line without one waits for it, or for the end of the output, so that
// no pause in the middle of a line breaks it. With a start pattern an event
// goes on until the next line that matches, or until flush. An event that grows
// beyond maxEvent is cut. Lines without content are no events of their own.
type splitter struct {
	start *regexp.Regexp // nil: every line is an event
	at    int64          // position of buf in the output
	buf   []byte         // not yet an event
	seen  int            // how much of buf has been searched for line ends
	whole int            // how much of buf are whole lines of an event that may go on
}

// write takes in the next bytes and gives the events that are whole.
func (s *splitter) write(p []byte) (events []line) {
	s.buf = append(s.buf, p...)
	for {
		i := bytes.IndexByte(s.buf[s.seen:], '\n')
		if i < 0 {
			s.seen = len(s.buf)
			return append(events, s.cutLong()...)
		}
		begin, end := s.whole, s.seen+i+1
		if s.start == nil {
			events = append(events, s.take(end)...)
			continue
		}
		if begin > 0 && s.start.Match(bytes.TrimRight(s.buf[begin:end], "\r\n")) {
			events = append(events, s.take(begin)...)
			end -= begin
		}
		s.whole, s.seen = end, end
		events = append(events, s.cutLong()...)
	}
}

// holding reports whether whole lines wait for the event they are of to end.
func (s *splitter) holding() bool { return s.whole > 0 }

// flush gives the event of the whole lines held; with rest, also a line that
// has no newline.
func (s *splitter) flush(rest bool) []line {
	events := s.take(s.whole)
	if rest {
		events = append(events, s.take(len(s.buf))...)
	}
	return events
}

// take makes the first n bytes of buf an event, or several when it is long.
func (s *splitter) take(n int) (events []line) {
	text := bytes.TrimRight(s.buf[:n], "\r\n")
	for rest := text; len(rest) > 0; {
		var piece string
		piece, rest = cut(rest)
		end := s.at + int64(len(text)-len(rest))
		if len(rest) == 0 {
			end = s.at + int64(n)
		}
		events = append(events, line{piece, end})
	}
	s.skip(n)
	return events
}

// skip moves on by n bytes.
func (s *splitter) skip(n int) {
	s.at += int64(n)
	s.buf = s.buf[:copy(s.buf, s.buf[n:])]
	s.seen, s.whole = max(s.seen-n, 0), max(s.whole-n, 0)
}

// cutLong takes what has grown beyond one event.
func (s *splitter) cutLong() (events []line) {
	for len(s.buf) > maxEvent {
		piece, rest := cut(s.buf)
		n := len(s.buf) - len(rest)
		events = append(events, line{piece, s.at + int64(n)})
		s.skip(n)
	}
	return events
}

// cut gives the longest beginning of text that fits an event, as valid UTF-8,
// and the rest.
func cut(text []byte) (piece string, rest []byte) {
	if len(text) <= maxEvent && utf8.Valid(text) {
		return string(text), nil
	}
	size, n := 0, 0
	for n < len(text) {
		r, width := utf8.DecodeRune(text[n:])
		if size += utf8.RuneLen(r); size > maxEvent {
			break
		}
		n += width
	}
	return strings.ToValidUTF8(string(text[:n]), string(utf8.RuneError)), text[n:]
}
