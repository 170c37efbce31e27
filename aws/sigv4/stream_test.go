package sigv4_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"fargo/aws/sigv4"
)

// documented is the request of 66560 letters in chunks that the S3 API reference signs.
// Source: "Signature calculations for the authorization header: transferring payload in
// multiple chunks", and the page of the same with trailers.
const (
	documentedSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	documentedHead   = "PUT /examplebucket/chunkObject.txt HTTP/1.1\r\nHost: s3.amazonaws.com\r\nx-amz-date: 20130524T000000Z\r\n" +
		"x-amz-storage-class: REDUCED_REDUNDANCY\r\nx-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\r\nContent-Encoding: aws-chunked\r\n" +
		"x-amz-decoded-content-length: 66560\r\nContent-Length: 66824\r\n" +
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request," +
		"SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class," +
		"Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9\r\n\r\n"
)

var documentedAt = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)

func documentedBody() string {
	return "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + strings.Repeat("a", 65536) +
		"\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + strings.Repeat("a", 1024) +
		"\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
}

func stream(t testing.TB, r *http.Request, secret string, now time.Time) (string, *sigv4.Body, error) {
	t.Helper()
	sig, err := sigv4.Parse(r)
	if err != nil {
		return "", nil, err
	}
	b, err := new(sigv4.Verifier).VerifyStream(sig, r, secret, now)
	if err != nil {
		return "", nil, err
	}
	all, err := io.ReadAll(b)
	return string(all), b, err
}

func TestDocumentedChunks(t *testing.T) {
	text, body, err := stream(t, read(t, documentedHead+documentedBody()), documentedSecret, documentedAt)
	if err != nil || text != strings.Repeat("a", 66560) || body.Length != 66560 {
		t.Error(len(text), err)
	}
	for _, c := range []struct {
		name, old, new string
		want           sigv4.Kind
	}{
		{"data", "aaa\r\n400", "aab\r\n400", sigv4.Mismatch},
		{"size", "\r\n400;", "\r\n3ff;", sigv4.Incomplete},
		{"signature", "signature=0055", "signature=0056", sigv4.Mismatch},
		{"last signature", "signature=b6c6", "signature=b6c7", sigv4.Mismatch},
		{"no signature", ";chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", "", sigv4.Incomplete},
		{"no last chunk", "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n", "", sigv4.Incomplete},
		{"trailers nobody announced", "9df9\r\n\r\n", "9df9\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", sigv4.Incomplete},
	} {
		r := read(t, documentedHead)
		r.Body = io.NopCloser(iotest.OneByteReader(strings.NewReader(strings.Replace(documentedBody(), c.old, c.new, 1))))
		if _, _, err := stream(t, r, documentedSecret, documentedAt); kind(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// signStream signs a request with a stated payload.
func signStream(body, stated string, header map[string]string) *http.Request {
	r := httptest.NewRequest(http.MethodPut, "http://127.0.0.1:4566/b/k", strings.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	r.Header.Set("X-Amz-Content-Sha256", stated)
	sigv4.SignPayload(r, stated, sigv4.Credentials{AccessKeyID: exampleKey, Secret: exampleSecret}, "us-east-1", "s3", signedAt)
	return r
}

// Trailers come after unsigned chunks, and after signed ones with a signature.
func TestTrailers(t *testing.T) {
	const trailer = "x-amz-checksum-crc32:DUoRhQ=="
	header := map[string]string{"X-Amz-Decoded-Content-Length": "11", "X-Amz-Trailer": "x-amz-checksum-crc32"}
	unsigned := "6\r\nhello \r\n5\r\nworld\r\n0\r\n" + trailer + "\r\n\r\n"
	text, body, err := stream(t, signStream(unsigned, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", header), exampleSecret, signedAt)
	if err != nil || text != "hello world" || body.Trailer("X-Amz-Checksum-Crc32") != "DUoRhQ==" {
		t.Error(text, body, err)
	}
	r := signStream("", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", header)
	chunked := signedBody(r, "hello world", trailer+"\n")
	r.Body = io.NopCloser(strings.NewReader(chunked))
	text, body, err = stream(t, r, exampleSecret, signedAt)
	if err != nil || text != "hello world" || body.Trailer("X-Amz-Checksum-Crc32") != "DUoRhQ==" {
		t.Error(text, body, err)
	}
	r.Body = io.NopCloser(strings.NewReader(strings.Replace(chunked, "DUoRhQ==", "DUoRhA==", 1)))
	if _, _, err := stream(t, r, exampleSecret, signedAt); kind(err) != sigv4.Mismatch {
		t.Errorf("a changed trailer: %v", err)
	}
}

// signedBody is a body of one chunk and a trailer, with signatures.
func signedBody(r *http.Request, data, trailer string) string {
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	key := []byte("AWS4" + exampleSecret)
	for _, part := range []string{"20150830", "us-east-1", "s3", "aws4_request"} {
		key = mac(key, part)
	}
	_, previous, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	sign := func(algorithm, hashes string) string {
		previous = hex.EncodeToString(mac(key, algorithm+"\n20150830T123600Z\n20150830/us-east-1/s3/aws4_request\n"+previous+"\n"+hashes))
		return previous
	}
	first := sign("AWS4-HMAC-SHA256-PAYLOAD", hash("")+"\n"+hash(data))
	last := sign("AWS4-HMAC-SHA256-PAYLOAD", hash("")+"\n"+hash(""))
	end := sign("AWS4-HMAC-SHA256-TRAILER", hash(trailer))
	return fmt.Sprintf("%x;chunk-signature=%s\r\n%s\r\n0;chunk-signature=%s\r\n%s\r\nx-amz-trailer-signature:%s\r\n\r\n",
		len(data), first, data, last, strings.TrimSpace(trailer), end)
}

// A body that is not in chunks is checked by the hash that was signed, if there is one.
func TestStreamHashes(t *testing.T) {
	sum := sha256.Sum256([]byte("text"))
	for _, c := range []struct {
		stated, body string
		want         sigv4.Kind // 255 for none
	}{
		{hex.EncodeToString(sum[:]), "text", 255},
		{hex.EncodeToString(sum[:]), "test", sigv4.BodyMismatch},
		{"UNSIGNED-PAYLOAD", "anything", 255},
		{"no hash", "text", sigv4.Malformed},
		{"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "text", sigv4.Unsupported},
		{"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "text", sigv4.Length},
	} {
		text, _, err := stream(t, signStream(c.body, c.stated, nil), exampleSecret, signedAt)
		if kind(err) != c.want || c.want == 255 && text != c.body {
			t.Errorf("%s: %q, %v", c.stated, text, err)
		}
	}
	r := signStream("", "UNSIGNED-PAYLOAD", nil)
	if _, _, err := stream(t, r, exampleSecret, signedAt.Add(15*time.Minute+time.Second)); kind(err) != sigv4.Expired {
		t.Errorf("late: %v", err)
	}
}

// FuzzChunks: a body in chunks never gives more than was announced, and gives all of it
// when it ends well.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"), int64(11))
	f.Add([]byte(documentedBody()), int64(66560))
	f.Fuzz(func(t *testing.T, body []byte, length int64) {
		r := httptest.NewRequest(http.MethodPut, "/b/k", bytes.NewReader(body))
		r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
		r.Header.Set("X-Amz-Decoded-Content-Length", fmt.Sprint(length))
		b, err := sigv4.UnverifiedBody(r)
		if err != nil {
			return
		}
		all, err := io.ReadAll(b)
		if int64(len(all)) > length || err == nil && int64(len(all)) != length {
			t.Errorf("%d bytes of %d, %v", len(all), length, err)
		}
	})
}
