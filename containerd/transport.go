package containerd

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// bounded is a transport that takes from a server no more than what it can be
// asked for. Layers and configurations are bounded by those who read them, who
// know their sizes.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	// A compressed answer would be decompressed here, with as much memory as the
	// server likes. Layers are compressed already.
	request = request.Clone(request.Context())
	request.Header.Set("Accept-Encoding", "identity")
	response, err := b.RoundTripper.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if encoding := response.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		response.Body.Close()
		return nil, refuse("%s answers in the encoding %.20q, which nobody asked for", request.URL.Host, encoding)
	}
	if !strings.Contains(asked(request).URL.Path, "/blobs/") {
		response.Body = &boundedBody{ReadCloser: response.Body, left: maxDocument, of: request.URL.Host}
	}
	return response, nil
}

// asked is the request that was made first, before the server led elsewhere.
func asked(request *http.Request) *http.Request {
	for request.Response != nil && request.Response.Request != nil {
		request = request.Response.Request
	}
	return request
}

// boundedBody fails when more is read than is left.
type boundedBody struct {
	io.ReadCloser
	left int64
	of   string
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, fmt.Errorf("answer of %s: %w", b.of, refuse("more than %d bytes", maxDocument))
	}
	return n, err
}
