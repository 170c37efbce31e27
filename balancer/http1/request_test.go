package http1

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"fargo/balancer/scenariotest"
)

// TestCorpus reads the requests in testdata, each a quoted Go string, and
// compares what was understood of it with the lines that follow.
func TestCorpus(t *testing.T) {
	scenariotest.Run(t, "testdata/requests.txt", func(line string) string {
		raw, err := strconv.Unquote(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return understand(strings.NewReader(raw))
	})
}

// understand reads all requests that a server would see on a connection.
func understand(src io.Reader) string {
	var out strings.Builder
	r := NewReader(src)
	for {
		var q Request
		_, err := r.Request(&q)
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		var refused *Error
		if errors.As(err, &refused) {
			fmt.Fprintf(&out, "%d %s%s\n", refused.Status, refused.Reason, found(q.Finding))
			return out.String()
		}
		if err != nil {
			fmt.Fprintf(&out, "%v\n", err)
			return out.String()
		}
		body, trailers, err := all(r, q.Length)
		fmt.Fprintf(&out, "%s %s host=%s length=%d", q.Method, q.Target, q.Authority, q.Length)
		out.WriteString(found(q.Finding))
		if body != "" {
			fmt.Fprintf(&out, " body=%q", body)
		}
		for _, f := range trailers {
			fmt.Fprintf(&out, " trailer=%s:%s", f.Name, f.Value)
		}
		if err != nil {
			fmt.Fprintf(&out, " %v\n", err)
			return out.String()
		}
		fmt.Fprintln(&out)
	}
}

func found(f Finding) string {
	if f.Class == Compliant {
		return ""
	}
	s := fmt.Sprintf(" %v:%s", f.Class, f.Reason)
	if f.Doubtful {
		s += " doubtful"
	}
	return s
}

func all(r *Reader, length int64) (string, []Field, error) {
	b := r.Body(length)
	var content strings.Builder
	for {
		piece, err := b.Next()
		if errors.Is(err, io.EOF) {
			return content.String(), b.Trailers(), nil
		}
		if err != nil {
			return content.String(), nil, err
		}
		content.Write(piece)
	}
}
