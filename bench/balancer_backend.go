package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// backend is what all proxies share: the targets and a certificate.
type backend struct {
	dir     string
	targets []net.Listener
	// chain and key are files in PEM.
	chain, key string
}

// targetWeights are the shares of the two targets, each a target group of its
// own.
var targetWeights = []int{3, 1}

func openBackend(dir string) (*backend, error) {
	b := &backend{dir: dir, chain: filepath.Join(dir, "chain.pem"), key: filepath.Join(dir, "key.pem")}
	if err := b.certify(); err != nil {
		return nil, err
	}
	for range targetWeights {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(err, b.close())
		}
		b.targets = append(b.targets, l)
		go serveTarget(l)
	}
	return b, nil
}

func (b *backend) close() error {
	var errs []error
	for _, l := range b.targets {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// certify makes a certificate that is its own authority.
func (b *backend) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, DNSNames: []string{"bench"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	chain, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for path, block := range map[string]*pem.Block{
		b.chain: {Type: "CERTIFICATE", Bytes: chain},
		b.key:   {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}

var (
	smallAnswer = targetAnswer([]byte("hello, world\n"))
	largeAnswer = targetAnswer(bytes.Repeat([]byte("0123456789abcdef"), 1<<16))
)

func targetAnswer(body []byte) []byte {
	return append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n",
		time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), len(body)), body...)
}

// serveTarget answers requests without a body, at the least cost: it finds only the
// end of each, and whether its path is the large answer's.
func serveTarget(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			var request []byte
			buffer := make([]byte, 4<<10)
			for {
				n, err := c.Read(buffer)
				if err != nil {
					return
				}
				request = append(request, buffer[:n]...)
				if !bytes.HasSuffix(request, []byte("\r\n\r\n")) {
					continue
				}
				answer := smallAnswer
				if bytes.HasPrefix(request, []byte("GET /large ")) {
					answer = largeAnswer
				}
				if _, err := c.Write(answer); err != nil {
					return
				}
				request = request[:0]
			}
		}()
	}
}
