package api_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fargo/api"
)

// heldBody brings all of its bytes and then nothing, until it is released.
type heldBody struct {
	left     int
	arrived  func()
	released <-chan struct{}
}

func (b *heldBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		b.arrived()
		<-b.released
		return 0, io.EOF
	}
	n := min(len(p), b.left)
	copy(p, bytes.Repeat([]byte{' '}, n))
	b.left -= n
	return n, nil
}

// TestUnknownCallersShareMemory has 400 callers send all they may and then wait.
// Those there is no room for are refused, a caller with a key is served meanwhile,
// and when they leave the room is there for others.
func TestUnknownCallersShareMemory(t *testing.T) {
	const callers, size, room = 400, 250 << 10, 16 << 20
	handler := api.New(config(server{}))
	released := make(chan struct{})
	statuses := make(chan int, callers)
	var arrived, all sync.WaitGroup
	for range callers {
		arrived.Add(1)
		once := sync.OnceFunc(arrived.Done)
		all.Go(func() {
			defer once() // refused ones never read to the end
			r := httptest.NewRequest("POST", "/", &heldBody{size, once, released})
			r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DescribeClusters")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			statuses <- w.Code
		})
	}
	arrived.Wait()
	known := exchange{service: "ecs", header: target + "DescribeClusters", body: "{}" + strings.Repeat(" ", 5<<20)}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, known.request("http://127.0.0.1"))
	if w.Code != http.StatusOK {
		t.Errorf("a caller with a key got %d %s", w.Code, w.Body)
	}
	close(released)
	all.Wait()
	close(statuses)
	counts := map[int]int{}
	for s := range statuses {
		counts[s]++
	}
	// A buffer that grows to 250 KiB takes up to 320.
	if served := counts[http.StatusBadRequest]; served == 0 || served > room/size || counts[http.StatusServiceUnavailable] != callers-served {
		t.Errorf("answers by status: %v", counts)
	}
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, exchange{header: target + "DescribeClusters", body: strings.Repeat(" ", size)}.request("http://127.0.0.1"))
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "MissingAuthenticationToken") {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

var bodies = []struct {
	name    string
	service string
	key     string
	body    string
	gzip    bool
	status  int
	want    string
}{
	{name: "of no caller, large", body: strings.Repeat(" ", 257<<10), status: 413, want: "RequestEntityTooLarge"},
	{name: "of an unknown key, large", service: "ecs", key: "AKIAOTHER", body: strings.Repeat(" ", 257<<10), status: 413, want: "RequestEntityTooLarge"},
	{name: "of a known key, large", service: "ecs", body: "{}" + strings.Repeat(" ", 257<<10), status: 200},
	{name: "of no caller, that unpacks to much", body: strings.Repeat(" ", 11<<20), gzip: true, status: 413, want: "RequestEntityTooLarge"},
	{name: "of a known key, that unpacks to much", service: "ecs", body: strings.Repeat(" ", 11<<20), gzip: true, status: 413, want: "RequestEntityTooLarge"},
}

func TestBodiesAreBounded(t *testing.T) {
	handler := api.New(config(server{}))
	for _, b := range bodies {
		t.Run(b.name, func(t *testing.T) {
			e := exchange{service: b.service, key: b.key, header: target + "DescribeClusters", body: b.body}
			if b.gzip {
				var packed bytes.Buffer
				z := gzip.NewWriter(&packed)
				io.WriteString(z, b.body)
				z.Close()
				e.body, e.header = packed.String(), e.header+"\nContent-Encoding: gzip"
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, e.request("http://127.0.0.1"))
			if w.Code != b.status || !strings.Contains(w.Body.String(), b.want) {
				t.Errorf("%d %.200s", w.Code, w.Body)
			}
		})
	}
}

// drip brings a byte a second.
type drip struct{}

func (drip) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	p[0] = ' '
	return 1, nil
}

func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := httptest.NewRequest("POST", "/", drip{})
		r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DescribeClusters")
		w := httptest.NewRecorder()
		began := time.Now()
		api.New(config(server{})).ServeHTTP(w, r)
		if took := time.Since(began); w.Code != http.StatusRequestTimeout || took > time.Minute {
			t.Errorf("%d %s after %v", w.Code, w.Body, took)
		}
	})
}
