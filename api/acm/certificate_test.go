package acm

import (
	"crypto/tls"
	"os"
	"strings"
	"testing"
	"time"
)

// FuzzParse holds that what can be imported can be served: TLS takes the
// certificate, its chain and the key as a load balancer puts them together.
func FuzzParse(f *testing.F) {
	read := func(name string) []byte {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		return b
	}
	parameters := "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
	f.Add(read("self.pem"), read("self.key"), []byte{})
	f.Add([]byte("a comment\n"+strings.TrimSpace(string(read("self.pem")))), append([]byte(parameters), read("self.key")...), []byte{})
	f.Add(read("leaf.pem"), read("leaf.key"), read("ca.pem"))
	f.Add(read("expired.pem"), read("self.key"), []byte("\n"))
	f.Fuzz(func(t *testing.T, body, key, chain []byte) {
		p, err := parse(body, key, chain, time.Unix(1_700_000_000, 0))
		if err != nil {
			return
		}
		whole := strings.TrimRight(string(body), "\n") + "\n" + string(chain)
		pair, err := tls.X509KeyPair([]byte(whole), key)
		if err != nil {
			t.Fatalf("imported, but not to be served: %v", err)
		}
		if len(pair.Certificate) != 1+len(p.chain) || !pair.Leaf.Equal(p.leaf) {
			t.Fatalf("%d certificates are served of %d", len(pair.Certificate), 1+len(p.chain))
		}
		p.detail()
	})
}
