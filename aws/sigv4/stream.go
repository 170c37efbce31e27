package sigv4

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Payloads in chunks, as S3's clients name them in X-Amz-Content-Sha256.
// Source: S3 API reference, "Signature calculations for the authorization header:
// transferring payload in multiple chunks".
const (
	signedChunks         = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedChunksTrailer  = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	unsignedChunks       = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	chunkAlgorithm       = "AWS4-HMAC-SHA256-PAYLOAD"
	trailerAlgorithm     = "AWS4-HMAC-SHA256-TRAILER"
	trailerSignatureName = "x-amz-trailer-signature"
)

// Limits on what goes between the chunks of a body, in bytes and lines.
const (
	maxChunkLine = 4 << 10
	maxTrailers  = 16
)

var emptyHash = func() string {
	sum := sha256.Sum256(nil)
	return hex.EncodeToString(sum[:])
}()

// VerifyStream checks as [Verifier.Verify] does a request whose body is read later, and
// gives that body: without chunks, if it came in any. What of the body is not as it was
// signed is an error of its Read, at the end at the latest: what was read before an
// io.EOF must not be used.
func (v *Verifier) VerifyStream(sig *Signature, r *http.Request, secret string, now time.Time) (*Body, error) {
	if err := sig.current(now); err != nil {
		return nil, err
	}
	if sig.version2 {
		if err := sig.verifyVersion2(r, secret); err != nil {
			return nil, err
		}
		return newBody(r, unsignedPayload, nil)
	}
	stated := r.Header.Get("X-Amz-Content-Sha256")
	switch {
	case stated == "" && sig.presigned:
		stated = unsignedPayload
	case stated == "":
		return nil, errorf(Malformed, "Missing required header for this request: x-amz-content-sha256")
	}
	key := v.key(keyScope{secret, sig.date, sig.Region, sig.Service})
	if !hmac.Equal(sig.compute(key, r, stated), sig.mac) {
		return nil, errorf(Mismatch, mismatchText)
	}
	return newBody(r, stated, &chunkSigner{sig: sig, key: key, previous: hex.EncodeToString(sig.mac)})
}

// UnverifiedBody gives the body of a request as [Verifier.VerifyStream] does, without
// looking at signatures.
func UnverifiedBody(r *http.Request) (*Body, error) {
	stated := r.Header.Get("X-Amz-Content-Sha256")
	if !strings.HasPrefix(stated, "STREAMING-") {
		stated = unsignedPayload
	}
	return newBody(r, stated, nil)
}

// Body is the body of a request.
type Body struct {
	io.Reader
	// Length is that of all that can be read, in bytes; -1 if the client did not say.
	Length int64
	// Announced is the name of the trailer that the client says it will send; "" for none.
	Announced string
	trailer   http.Header
}

// Close implements [io.Closer]. It does nothing: the HTTP server closes bodies.
func (*Body) Close() error { return nil }

// Trailer gives a header that came after the body, "" if it did not. It is there only
// when all was read.
func (b *Body) Trailer(name string) string { return b.trailer.Get(name) }

func newBody(r *http.Request, stated string, signer *chunkSigner) (*Body, error) {
	b := &Body{Reader: r.Body, Length: r.ContentLength, Announced: r.Header.Get("X-Amz-Trailer"), trailer: http.Header{}}
	switch stated {
	case unsignedPayload:
		return b, nil
	case signedChunks, signedChunksTrailer, unsignedChunks:
		length, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || length < 0 {
			return nil, errorf(Length, "You must provide the Content-Length HTTP header.")
		}
		if stated == unsignedChunks {
			signer = nil
		}
		b.Length = length
		b.Reader = &chunks{
			from: bufio.NewReaderSize(r.Body, maxChunkLine), signer: signer, body: b,
			trailers: stated != signedChunks, signed: stated != unsignedChunks, remaining: length,
		}
		return b, nil
	}
	if strings.HasPrefix(stated, "STREAMING-") {
		return nil, errorf(Unsupported, "A payload signed in chunks (%s) is not supported.", stated)
	}
	if _, err := hex.DecodeString(stated); err != nil || len(stated) != 2*sha256.Size {
		return nil, errorf(Malformed, "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or a valid sha256 value.")
	}
	b.Reader = &hashed{from: r.Body, want: stated, hash: sha256.New()}
	return b, nil
}

// hashed is a body whose hash was signed.
type hashed struct {
	from io.Reader
	want string
	hash hash.Hash
}

// Read implements [io.Reader].
func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.from.Read(p)
	h.hash.Write(p[:n])
	if errors.Is(err, io.EOF) && hex.EncodeToString(h.hash.Sum(nil)) != h.want {
		return n, bodyMismatch()
	}
	return n, err
}

func bodyMismatch() error {
	return errorf(BodyMismatch, "The provided 'x-amz-content-sha256' header does not match what was computed.")
}

// chunkSigner computes the signatures of chunks, each of which rests on the one before.
type chunkSigner struct {
	sig      *Signature
	key      []byte
	previous string
}

// check compares a signature with that over what has a hash.
func (c *chunkSigner) check(algorithm, signature string, hashes ...string) error {
	s := c.sig
	text := strings.Join(append([]string{
		algorithm, s.stamp, strings.Join([]string{s.date, s.Region, s.Service, terminator}, "/"), c.previous,
	}, hashes...), "\n")
	want := hex.EncodeToString(sum(c.key, []byte(text)))
	if !hmac.Equal([]byte(want), []byte(signature)) {
		return errorf(Mismatch, mismatchText)
	}
	c.previous = want
	return nil
}

// chunks is a body in chunks: "<hexadecimal size>[;chunk-signature=<…>]\r\n<data>\r\n",
// the last of which has no data, and trailers after it.
type chunks struct {
	from     *bufio.Reader
	signer   *chunkSigner // nil when signatures are not looked at
	body     *Body
	trailers bool // follow the last chunk
	signed   bool // each chunk has a signature

	remaining int64 // of all data, as the client has said
	left      int64 // of the chunk
	begun     bool  // a chunk has
	signature string
	hash      hash.Hash
	err       error // how it ended
}

// Read implements [io.Reader].
func (c *chunks) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if c.left == 0 {
		if c.err = c.next(); c.err != nil {
			return 0, c.err
		}
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if c.hash != nil {
		c.hash.Write(p[:n])
	}
	if err != nil {
		c.err = early(err)
	}
	return n, c.err
}

// early is the error for a body that has ended before its last chunk.
func early(err error) error {
	if errors.Is(err, io.EOF) {
		return errorf(Incomplete, "The request body terminated unexpectedly")
	}
	return err
}

// next ends the chunk that was read and begins the next. io.EOF is the end of all.
func (c *chunks) next() error {
	if c.begun {
		if err := c.endChunk(); err != nil {
			return err
		}
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	n, err := strconv.ParseInt(strings.TrimSpace(size), 16, 64)
	if err != nil || n < 0 || n > c.remaining {
		return malformedChunk()
	}
	c.begun, c.left, c.remaining = true, n, c.remaining-n
	if c.signed {
		var ok bool
		if c.signature, ok = strings.CutPrefix(extension, "chunk-signature="); !ok {
			return malformedChunk()
		}
		if c.signer != nil {
			c.hash = sha256.New()
		}
	}
	if n > 0 {
		return nil
	}
	return c.end()
}

// endChunk reads what is after the data of a chunk, and checks its signature.
func (c *chunks) endChunk() error {
	line, err := c.line()
	if err == nil && line != "" {
		err = malformedChunk()
	}
	if err != nil {
		return err
	}
	return c.checkChunk()
}

func (c *chunks) checkChunk() error {
	if c.hash == nil {
		return nil
	}
	return c.signer.check(chunkAlgorithm, c.signature, emptyHash, hex.EncodeToString(c.hash.Sum(nil)))
}

// end reads what is after the last chunk.
func (c *chunks) end() error {
	if c.remaining != 0 {
		return errorf(Incomplete, "You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	if err := c.checkChunk(); err != nil {
		return err
	}
	if err := c.readTrailers(); err != nil {
		return err
	}
	return io.EOF
}

func (c *chunks) readTrailers() error {
	var text strings.Builder
	signature := ""
	for range maxTrailers {
		line, err := c.line()
		if line == "" && (err == nil || isIncomplete(err)) { // some clients end with the last chunk
			return c.checkTrailers(text.String(), signature)
		}
		if err != nil {
			return err
		}
		name, value, ok := strings.Cut(line, ":")
		if name = strings.ToLower(strings.TrimSpace(name)); !ok || !c.trailers {
			return malformedChunk()
		}
		if value = strings.TrimSpace(value); name == trailerSignatureName {
			signature = value
			continue
		}
		fmt.Fprintf(&text, "%s:%s\n", name, value)
		c.body.trailer.Set(name, value)
	}
	return malformedChunk()
}

func (c *chunks) checkTrailers(text, signature string) error {
	if !c.trailers || !c.signed || c.signer == nil {
		return nil
	}
	hash := sha256.Sum256([]byte(text))
	return c.signer.check(trailerAlgorithm, signature, hex.EncodeToString(hash[:]))
}

// line reads a line without its end.
func (c *chunks) line() (string, error) {
	line, err := c.from.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", malformedChunk()
	case err != nil:
		return "", early(err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
}

func isIncomplete(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == Incomplete
}

func malformedChunk() error {
	return errorf(Incomplete, "The request body terminated unexpectedly")
}
