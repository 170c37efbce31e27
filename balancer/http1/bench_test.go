package http1

import (
	"bytes"
	"io"
	"testing"
)

// typical is a request as a browser sends it.
const typical = "GET /hello?n=1 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Connection: keep-alive\r\nCookie: session=0123456789abcdef\r\nUpgrade-Insecure-Requests: 1\r\nCache-Control: no-cache\r\nIf-None-Match: \"abc\"\r\n\r\n"

// again gives the same text for ever, once a read.
type again []byte

func (a again) Read(b []byte) (int, error) { return copy(b, a), nil }

// BenchmarkRequest reads a request and writes it anew.
func BenchmarkRequest(b *testing.B) {
	in, out := NewReader(again(typical)), NewWriter(io.Discard)
	var q Request
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.Request(&q); err != nil {
			b.Fatal(err)
		}
		out.BeginRequest(q.Method)
		out.Add(q.Target)
		out.EndRequestLine()
		Forwardable(q.Fields, func(f *Field) { out.Field(f.Name, f.Value) })
		out.EndLine()
		out.Flush()
	}
}

// BenchmarkChunks reads a body of many chunks and writes it anew.
func BenchmarkChunks(b *testing.B) {
	body := bytes.Repeat([]byte("40\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n"), 1000)
	body = append(body, "0\r\n\r\n"...)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		in, out := NewReader(bytes.NewReader(body)), NewWriter(io.Discard)
		content := in.Body(Chunked)
		if _, err := out.Copy(&content, true); err != nil {
			b.Fatal(err)
		}
	}
}
