//go:build e2e

package containerd_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// hostileRegistry is a registry that serves whatever a test puts into it.
type hostileRegistry struct {
	*httptest.Server
	tag      ocispec.Descriptor // what "evil:latest" stands for
	blobs    map[string][]byte  // also manifests
	encoding string             // of every answer
	inflate  int                // bytes more than a blob has
}

func newHostileRegistry(t *testing.T) *hostileRegistry {
	m := &hostileRegistry{blobs: map[string][]byte{}}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *hostileRegistry) image() string {
	return strings.TrimPrefix(m.URL, "http://") + "/evil:latest"
}

func (m *hostileRegistry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	if name == "latest" {
		name = m.tag.Digest.String()
		w.Header().Set("Content-Type", m.tag.MediaType)
	}
	blob, there := m.blobs[name]
	if !there {
		http.NotFound(w, r)
		return
	}
	if m.encoding != "" {
		w.Header().Set("Content-Encoding", m.encoding)
	}
	w.Header().Set("Docker-Content-Digest", name)
	if m.inflate > 0 && strings.Contains(r.URL.Path, "/blobs/") {
		w.Header().Set("Content-Length", strconv.Itoa(len(blob)+m.inflate))
		blob = append(bytes.Clone(blob), make([]byte, m.inflate)...)
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(blob)))
	}
	_, _ = w.Write(blob)
}

func describe(kind string, blob []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: kind, Size: int64(len(blob)), Digest: digest.FromBytes(blob)}
}

// add puts a blob into the registry.
func (m *hostileRegistry) add(kind string, blob []byte) ocispec.Descriptor {
	d := describe(kind, blob)
	m.blobs[d.Digest.String()] = blob
	return d
}

func (m *hostileRegistry) addJSON(t *testing.T, kind string, v any) ocispec.Descriptor {
	t.Helper()
	blob, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return m.add(kind, blob)
}

// layer is a layer and the digest of what it is when decompressed.
type layer struct {
	ocispec.Descriptor
	diffID string
}

// layer packs what fill writes.
func (m *hostileRegistry) layer(t *testing.T, fill func(*tar.Writer)) layer {
	t.Helper()
	return m.rawLayer(t, func(to io.Writer) {
		w := tar.NewWriter(to)
		fill(w)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func (m *hostileRegistry) rawLayer(t *testing.T, fill func(io.Writer)) layer {
	t.Helper()
	var packed bytes.Buffer
	plain := sha256.New()
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	fill(io.MultiWriter(zip, plain))
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return layer{m.add(layerType, packed.Bytes()), sum(plain)}
}

func sum(h hash.Hash) string { return fmt.Sprintf("sha256:%x", h.Sum(nil)) }

type object = map[string]any

// serve makes an image of layers and a configuration the one to be pulled.
func (m *hostileRegistry) serve(t *testing.T, config object, layers ...layer) {
	t.Helper()
	var ids []string
	var blobs []ocispec.Descriptor
	for _, l := range layers {
		ids = append(ids, l.diffID)
		blobs = append(blobs, l.Descriptor)
	}
	document := object{"os": "linux", "architecture": "amd64", "config": config, "rootfs": object{"type": "layers", "diff_ids": ids}}
	m.tag = m.addJSON(t, manifestType, object{
		"schemaVersion": 2, "mediaType": manifestType, "layers": blobs,
		"config": m.addJSON(t, ocispec.MediaTypeImageConfig, document),
	})
}

func put(t *testing.T, w *tar.Writer, h tar.Header, content ...byte) {
	t.Helper()
	h.Size += int64(len(content))
	if h.Mode == 0 {
		h.Mode = 0o644
	}
	if err := w.WriteHeader(&h); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
}

// zeros writes a file of many zeros.
func zeros(t *testing.T, w *tar.Writer, name string, size int64) {
	t.Helper()
	put(t, w, tar.Header{Name: name, Size: size})
	for block := make([]byte, 1<<20); size > 0; {
		n, err := w.Write(block[:min(size, int64(len(block)))])
		if err != nil {
			t.Fatal(err)
		}
		size -= int64(n)
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// tarNumber writes a number as GNU tar does when it is large or negative.
func tarNumber(field []byte, n int64) {
	for i := range field {
		field[i] = byte(n >> 63)
	}
	binary.BigEndian.PutUint64(field[len(field)-8:], uint64(n))
	field[0] |= 0x80
}

// seal gives a tar header its kind, format and checksum.
func seal(block []byte, kind byte, magic string) {
	block[156] = kind
	copy(block[257:], magic)
	copy(block[148:156], "        ")
	total := 0
	for _, b := range block {
		total += int(b)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", total))
}

// hole is an archive of one file that is nothing but a hole, in GNU tar's old
// format for those.
func hole(size int64) []byte {
	archive := make([]byte, 3*512)
	copy(archive, "hole")
	copy(archive[100:], "0000644\x00")
	tarNumber(archive[124:136], 0)
	tarNumber(archive[386:398], size)
	tarNumber(archive[398:410], 0)
	tarNumber(archive[483:495], size)
	seal(archive[:512], 'S', "ustar  \x00")
	return archive
}

func negative() []byte {
	archive := make([]byte, 3*512)
	copy(archive, "negative")
	tarNumber(archive[124:136], -512)
	seal(archive[:512], '0', "ustar  \x00")
	return archive
}
