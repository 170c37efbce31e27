package main

import "testing"

// Where other machines can listen in, doctor says so.
func TestDoctorAsksForTLS(t *testing.T) {
	for _, c := range []struct {
		listen string
		flags  tlsFlags
		warns  bool
	}{
		{"127.0.0.1:4566", tlsFlags{}, false},
		{"[::1]:4566", tlsFlags{}, false},
		{"localhost:4566", tlsFlags{}, false},
		{"0.0.0.0:4566", tlsFlags{}, true},
		{":4566", tlsFlags{}, true},
		{"192.0.2.1:4566", tlsFlags{}, true},
		{"192.0.2.1:4566", tlsFlags{TLS: true}, false},
		{"192.0.2.1:4566", tlsFlags{TLSCert: "a", TLSKey: "b"}, false},
	} {
		err := (&doctorCommand{tlsFlags: c.flags, Listen: c.listen}).tryTLS(t.Context())
		if (err != nil) != c.warns {
			t.Errorf("%s %+v: %v", c.listen, c.flags, err)
		}
	}
}
