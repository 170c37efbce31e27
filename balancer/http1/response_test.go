package http1

import "testing"

func TestResponse(t *testing.T) {
	for _, test := range []struct {
		head, method string
		length       int64
		close, fails bool
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "GET", 5, false, false},
		{"HTTP/1.1 200 OK\nContent-Length: 5\n\n", "GET", 5, false, false},
		{"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", "GET", Chunked, false, false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "GET", Chunked, true, false},
		{"HTTP/1.1 200 OK\r\n\r\n", "GET", UntilClose, true, false},
		{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", "GET", 5, true, false},
		{"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n", "GET", 5, false, false},
		{"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 5\r\n\r\n", "GET", 5, true, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", 0, false, false},
		{"HTTP/1.1 204 No Content\r\n\r\n", "GET", 0, false, false},
		{"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET", 0, false, false},
		{"HTTP/1.1 103 Early Hints\r\n\r\n", "GET", 0, false, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "GET", 0, false, true},
		{"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n", "GET", 0, false, true},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "GET", 0, false, true},
		{"HTTP/2 200 OK\r\n\r\n", "GET", 0, false, true},
		{"HTTP/1.1 20 OK\r\n\r\n", "GET", 0, false, true},
		{"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "GET", 0, false, true},
		{"SSH-2.0-OpenSSH\r\n\r\n", "GET", 0, false, true},
	} {
		var r Response
		err := r.Parse(test.head, test.method)
		if err != nil != test.fails || err == nil && (r.Length != test.length || r.Close != test.close) {
			t.Errorf("%s %q: length %d, close %v, %v", test.method, test.head, r.Length, r.Close, err)
		}
	}
}
