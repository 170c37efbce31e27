package tlsconfig

import "strings"

// OpenSSLName is what OpenSSL, and so AWS, calls a cipher suite of this name.
// Those of TLS 1.3 have one name. Source: openssl-ciphers(1), "CIPHER SUITE
// NAMES".
func OpenSSLName(name string) string {
	exchange, cipher, older := strings.Cut(strings.TrimPrefix(name, "TLS_"), "_WITH_")
	if !older {
		return name
	}
	cipher = openSSLCipher.Replace(cipher)
	if exchange == "RSA" {
		return cipher
	}
	return strings.ReplaceAll(exchange, "_", "-") + "-" + cipher
}

var openSSLCipher = strings.NewReplacer("3DES_EDE_CBC", "DES-CBC3", "AES_128_CBC", "AES128", "AES_256_CBC", "AES256",
	"AES_128", "AES128", "AES_256", "AES256", "RC4_128", "RC4", "POLY1305_SHA256", "POLY1305", "_", "-")
