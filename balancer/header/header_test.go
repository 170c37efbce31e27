package header

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fargo/balancer/exchange"
	"fargo/balancer/http1"
	"fargo/balancer/routing"
	"fargo/balancer/scenariotest"
	"fargo/balancer/settings"
)

// TestRequestFields runs scenarios: "set KEY VALUE" sets an attribute, "port N" the
// listener's port, "rewrite HOST" what a transform made of the host, "reset" forgets
// all; any other line is fields of a request, "NAME: VALUE; …", and the answer those
// the target gets.
func TestRequestFields(t *testing.T) {
	a, port := settings.Attributes{}, uint16(80)
	var transformed *routing.Rewritten
	scenariotest.Run(t, "testdata/fields.txt", func(line string) string {
		words := strings.Fields(line)
		switch words[0] {
		case "reset":
			a, port, transformed = settings.Attributes{}, 80, nil
			return ""
		case "rewrite":
			transformed = &routing.Rewritten{Authority: words[1], Target: "/"}
			return ""
		case "set":
			a[words[1]] = words[2]
			return ""
		case "port":
			fmt.Sscan(words[1], &port)
			return ""
		}
		var h http1.Request
		if err := h.Parse("GET / HTTP/1.1\r\n" + strings.ReplaceAll(line, "; ", "\r\n") + "\r\n\r\n"); err != nil {
			t.Fatal(line, err)
		}
		q := &routing.Request{Authority: h.Authority, Fields: h.Fields, Rewritten: transformed}
		s := settings.ReadListener(a, nil)
		received, _ := http1.Find(h.Fields, http1.TraceID)
		trace := TraceID(received, time.Unix(0x5759e988, 0), [12]byte{0xbd, 0x86, 0x2e, 0x3f, 0xe1, 0xbe, 0x46, 0xa9, 0x94, 0x27, 0x27, 0x93})
		var out strings.Builder
		fields, invalid := AppendForTarget(nil, q, &s, port, &exchange.Origin{Address: "192.0.2.1", Port: "1234"}, trace)
		for _, f := range fields {
			fmt.Fprintf(&out, "%s: %s\n", f.Name, f.Value)
		}
		if invalid {
			out.WriteString("(brought invalid fields)\n")
		}
		return out.String()
	})
}
