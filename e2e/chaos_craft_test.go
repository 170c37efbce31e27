//go:build e2e && chaos

package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// craftAttacks are malicious or malformed requests of clients.
var craftAttacks = []attack{
	{name: "smuggle requests", run: (*chaos).smuggle},
	{name: "send large bodies without a signature", run: (*chaos).sendUnsigned},
	{name: "send nothing but empty lines", run: (*chaos).sendEmptyLines},
	{name: "open thousands of connections", run: (*chaos).openConnections},
	{name: "call operations with nonsense", run: (*chaos).callNonsense},
}

// smuggled are requests that contain another one for whoever frames them otherwise
// (request smuggling). Each is sent on a connection of its own, repeatedly: if a
// target reads the hidden one, its answer goes to a client of the load, which fails.
var smuggled = []string{
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 40\r\n\r\nxxxxGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nbad trailer\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer---Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /\nhidden HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\nxx\r\nhello\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
}

func (c *chaos) smuggle() {
	addresses, err := net.LookupHost(c.name)
	if err != nil {
		c.t.Fatal(err)
	}
	for n := range 20 * len(smuggled) {
		answer := c.send(net.JoinHostPort(addresses[n%len(addresses)], "80"), smuggled[n%len(smuggled)])
		if strings.Contains(answer, "HTTP/1.1 5") {
			c.t.Errorf("%q was answered with %q", smuggled[n%len(smuggled)], answer)
		}
	}
}

// send sends text on a connection of its own and returns what comes back within a
// second.
func (c *chaos) send(address, text string) string {
	c.t.Helper()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	io.WriteString(conn, text) // may be refused before its end
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// grown notes by how much the memory of the named processes grows during do, and fails
// when it is more than most.
func (c *chaos) grown(process string, most int, do func()) {
	c.t.Helper()
	before := c.memory(process)
	do()
	gained := c.memory(process) - before
	c.note("%s: %+d MB", process, gained>>20)
	if gained > most {
		c.t.Errorf("%s has %d MB more", process, gained>>20)
	}
}

// memory is the resident memory of processes of the installation, in bytes.
func (c *chaos) memory(process string) (bytes int) {
	c.t.Helper()
	pids, err := c.in.processes(process)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			c.t.Fatal(err)
		}
		var kilobytes int
		_, after, _ := strings.Cut(string(status), "VmRSS:")
		if _, err := fmt.Sscan(after, &kilobytes); err != nil {
			c.t.Fatal(err)
		}
		bytes += kilobytes << 10
	}
	return bytes
}

// together calls a function many times concurrently.
func together(n int, do func()) {
	var all sync.WaitGroup
	for range n {
		all.Go(do)
	}
	all.Wait()
}

func (c *chaos) sendUnsigned() {
	address := strings.TrimPrefix(c.in.url, "http://")
	head := "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: AmazonEC2ContainerServiceV20141113.ListClusters\r\n"
	body := strings.Repeat(" ", 9<<20)
	c.grown("control", 100<<20, func() {
		together(40, func() { c.send(address, fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)) })
		together(40, func() { c.send(address, head+"Transfer-Encoding: chunked\r\n\r\n900000\r\n"+body) })
	})
}

func (c *chaos) sendEmptyLines() {
	addresses, err := net.LookupHost(c.name)
	if err != nil {
		c.t.Fatal(err)
	}
	lines := strings.Repeat("\r\n", 20<<20)
	c.grown("balancers", 50<<20, func() {
		together(10, func() { c.send(net.JoinHostPort(addresses[0], "80"), lines) })
	})
	c.grown("control", 50<<20, func() {
		together(10, func() { c.send(strings.TrimPrefix(c.in.url, "http://"), lines) })
	})
}

func (c *chaos) openConnections() {
	var conns []net.Conn
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	for range 3000 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(c.in.url, "http://"))
		if err != nil {
			c.t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	c.healthz(http.StatusOK) // when the incomplete heads have timed out
}

// callNonsense calls every operation of ECS with input that its model does not allow,
// or that makes no sense. None may answer with an internal error.
func (c *chaos) callNonsense() {
	content, err := os.ReadFile("../aws/models/ecs.json")
	if err != nil {
		c.t.Fatal(err)
	}
	var model struct {
		Operations map[string]struct{ Input struct{ Shape string } }
		Shapes     map[string]struct {
			Members map[string]any
		}
	}
	if err := json.Unmarshal(content, &model); err != nil {
		c.t.Fatal(err)
	}
	calls := 0
	for operation, of := range model.Operations {
		for range 3 {
			input := map[string]any{}
			for member := range model.Shapes[of.Input.Shape].Members {
				if c.rng.IntN(2) == 0 {
					input[member] = c.nonsense(3)
				}
			}
			calls++
			if status, answer := c.call(operation, input); status == http.StatusInternalServerError || status == 0 {
				c.t.Errorf("%s of %v: %d %s", operation, input, status, answer)
			}
		}
	}
	c.note("%d calls", calls)
}

// nonsense is a value of any kind.
func (c *chaos) nonsense(depth int) any {
	values := []any{
		nil, true, 0, -1, 1 << 40, 0.5, "", "x", strings.Repeat("x", 70000), "\x00", "../..", "arn:aws:ecs:::", "💥", "${a}",
		"arn:aws:ecs:us-east-1:123456789012:cluster/kubedojo-exercise/x",
	}
	n := c.rng.IntN(len(values) + 2)
	switch {
	case n < len(values) || depth == 0:
		return values[n%len(values)]
	case n == len(values):
		return []any{c.nonsense(depth - 1), c.nonsense(depth - 1)}
	}
	return map[string]any{"name": c.nonsense(depth - 1), "value": c.nonsense(depth - 1), "": nil}
}

// call signs and sends a call, whatever its input.
func (c *chaos) call(operation string, input any) (status int, answer string) {
	ctx := context.Background()
	body, err := json.Marshal(input)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.in.url, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	options := c.user.ecs.Options()
	key, err := options.Credentials.Retrieve(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, key, r, hex.EncodeToString(sum[:]), "ecs", options.Region, time.Now()); err != nil {
		c.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1000))
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}
