package plan

import "slices"

// SSLPolicy is what a listener lets clients negotiate.
type SSLPolicy struct {
	Name      string
	Protocols []string // "TLSv1.2", the oldest first
	Ciphers   []string // by their OpenSSL names, the preferred first
}

// DefaultSSLPolicy is what a listener has that names none.
// Source: ELBv2 API, CreateListener.
const DefaultSSLPolicy = "ELBSecurityPolicy-2016-08"

// The ciphers, in the groups in which policies have them.
var (
	ciphersTLS13   = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
	ciphersForward = []string{ // forward secrecy and authenticated encryption
		"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
	}
	ciphersForwardCBC  = []string{"ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384"}
	ciphersForwardSHA1 = []string{"ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA"}
	ciphersRSA         = []string{"AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256"}
	ciphersRSASHA1     = []string{"AES128-SHA", "AES256-SHA"}
	cipherDES          = []string{"DES-CBC3-SHA"}

	ciphersStrong     = slices.Concat(ciphersForward, ciphersForwardCBC)
	ciphersAllForward = slices.Concat(ciphersStrong, ciphersForwardSHA1)
	ciphersNoSHA1     = slices.Concat(ciphersStrong, ciphersRSA)
	ciphersAll        = slices.Concat(ciphersAllForward, ciphersRSA, ciphersRSASHA1)
)

// The versions of TLS, from one on.
var (
	tlsFrom10 = []string{"TLSv1", "TLSv1.1", "TLSv1.2"}
	tlsFrom11 = tlsFrom10[1:]
	tlsFrom12 = tlsFrom10[2:]
)

// SSLPolicies are the predefined policies, without those for FIPS, which would
// promise a certified implementation.
// Source: ELB user guide, "Security policies for your Application Load Balancer".
var SSLPolicies = slices.Concat([]SSLPolicy{
	{DefaultSSLPolicy, tlsFrom10, ciphersAll},
	{"ELBSecurityPolicy-2015-05", tlsFrom10, ciphersAll},
	{"ELBSecurityPolicy-FS-2018-06", tlsFrom10, ciphersAllForward},
	{"ELBSecurityPolicy-FS-1-1-2019-08", tlsFrom11, ciphersAllForward},
	{"ELBSecurityPolicy-FS-1-2-2019-08", tlsFrom12, ciphersAllForward},
	{"ELBSecurityPolicy-FS-1-2-Res-2019-08", tlsFrom12, ciphersStrong},
	{"ELBSecurityPolicy-FS-1-2-Res-2020-10", tlsFrom12, ciphersForward},
	{"ELBSecurityPolicy-TLS-1-0-2015-04", tlsFrom10, slices.Concat(ciphersAll, cipherDES)},
	{"ELBSecurityPolicy-TLS-1-1-2017-01", tlsFrom11, ciphersAll},
	{"ELBSecurityPolicy-TLS-1-2-2017-01", tlsFrom12, ciphersNoSHA1},
	{"ELBSecurityPolicy-TLS-1-2-Ext-2018-06", tlsFrom12, ciphersAll},
},
	tls13("ELBSecurityPolicy-TLS13-1-0", tlsFrom10, ciphersAll),
	tls13("ELBSecurityPolicy-TLS13-1-1", tlsFrom11, ciphersAll),
	tls13("ELBSecurityPolicy-TLS13-1-2", tlsFrom12, ciphersStrong),
	tls13("ELBSecurityPolicy-TLS13-1-2-Ext1", tlsFrom12, ciphersNoSHA1),
	tls13("ELBSecurityPolicy-TLS13-1-2-Ext2", tlsFrom12, ciphersAll),
	tls13("ELBSecurityPolicy-TLS13-1-2-Res", tlsFrom12, ciphersForward),
	tls13("ELBSecurityPolicy-TLS13-1-3", nil, nil),
)

// tls13 is a policy with TLS 1.3, and the same with the post-quantum key
// exchange that clients may use in it.
func tls13(name string, protocols, ciphers []string) []SSLPolicy {
	protocols, ciphers = append(slices.Clone(protocols), "TLSv1.3"), slices.Concat(ciphersTLS13, ciphers)
	return []SSLPolicy{{name + "-2021-06", protocols, ciphers}, {name + "-PQ-2025-09", protocols, ciphers}}
}

// SSLPolicyNamed finds a policy.
func SSLPolicyNamed(name string) (SSLPolicy, bool) {
	for _, p := range SSLPolicies {
		if p.Name == name {
			return p, true
		}
	}
	return SSLPolicy{}, false
}
