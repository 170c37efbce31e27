package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// canonical appends the canonical request.
func (s *Signature) canonical(b []byte, r *http.Request, payloadHash string) []byte {
	b = append(append(b, r.Method...), '\n')
	b = append(appendPath(b, r.URL.EscapedPath(), s.Service == "s3"), '\n')
	b = append(appendQuery(b, r.URL.RawQuery), '\n')
	for _, name := range s.SignedHeaders {
		b = append(append(b, name...), ':')
		b = append(appendHeader(b, r, name), '\n')
	}
	b = append(b, '\n')
	b = append(appendJoined(b, s.SignedHeaders), '\n')
	return append(b, payloadHash...)
}

func appendJoined(b []byte, names []string) []byte {
	for i, name := range names {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, name...)
	}
	return b
}

// appendPath appends the path as it was sent, encoded once more. S3 signs it as
// it is; for the other services empty and dot segments go first.
func appendPath(b []byte, path string, s3 bool) []byte {
	switch {
	case path == "" || path == "/":
		return append(b, '/')
	case s3:
		return append(b, path...)
	}
	var kept []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, segment)
		}
	}
	for _, segment := range kept {
		b = appendEncoded(append(b, '/'), segment)
	}
	if len(kept) == 0 || path[len(path)-1] == '/' {
		b = append(b, '/')
	}
	return b
}

// appendQuery appends the parameters in order, less the signature itself.
func appendQuery(b []byte, query string) []byte {
	if query == "" {
		return b
	}
	type pair struct{ name, value string }
	var pairs []pair
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		if name == "" && value == "" || name == "X-Amz-Signature" {
			continue
		}
		pairs = append(pairs, pair{encodeAgain(name), encodeAgain(value)})
	}
	slices.SortFunc(pairs, func(x, y pair) int {
		if c := strings.Compare(x.name, y.name); c != 0 {
			return c
		}
		return strings.Compare(x.value, y.value)
	})
	for i, p := range pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(append(append(b, p.name...), '='), p.value...)
	}
	return b
}

// encodeAgain brings an encoded text to the one encoding that is signed.
func encodeAgain(text string) string {
	plain, err := url.PathUnescape(text)
	if err != nil {
		plain = text
	}
	return string(appendEncoded(nil, plain))
}

// appendEncoded percent-encodes all but RFC 3986's unreserved characters.
func appendEncoded(b []byte, text string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

// canonicalNames are how net/http spells the headers that clients always sign. It
// would make each anew.
var canonicalNames = map[string]string{
	"x-amz-content-sha256": "X-Amz-Content-Sha256",
	"x-amz-date":           "X-Amz-Date",
	"x-amz-security-token": "X-Amz-Security-Token",
	"x-amz-target":         "X-Amz-Target",
}

// appendHeader appends a header's values: trimmed, inner runs of space made one,
// joined by commas. Host is where net/http keeps it.
func appendHeader(b []byte, r *http.Request, name string) []byte {
	if name == "host" {
		return append(b, r.Host...)
	}
	canonical, ok := canonicalNames[name]
	if !ok {
		canonical = http.CanonicalHeaderKey(name)
	}
	for i, value := range r.Header[canonical] {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCollapsed(b, value)
	}
	return b
}

func appendCollapsed(b []byte, value string) []byte {
	if !strings.ContainsAny(value, " \t") {
		return append(b, value...)
	}
	for i, word := range strings.Fields(value) {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, word...)
	}
	return b
}
