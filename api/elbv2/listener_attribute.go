package elbv2

import (
	"context"
	"regexp"
	"slices"
	"time"

	"fargo"
	"fargo/aws/elbv2"
	"fargo/record"
	"fargo/store"
)

// listenerAttributes are those of a listener with a protocol.
// Source: ELBv2 API, ListenerAttribute.
func listenerAttributes(p elbv2.ProtocolEnum) attributes {
	a := attributes{of: "Listener", twice: loadBalancerTwice}
	switch p {
	case elbv2.ProtocolEnumTcp, elbv2.ProtocolEnumTcpUdp:
		a.list = []attribute{{"tcp.idle_timeout.seconds", "350", between(60, 6000)}}
	case elbv2.ProtocolEnumHttps:
		a.list = slices.Concat(requestHeaders, responseHeaders)
	case elbv2.ProtocolEnumHttp:
		a.list = responseHeaders
	}
	return a
}

// requestHeaders are the names of the headers that tell a target of the client's
// encryption.
var requestHeaders = []attribute{
	{"routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name", "X-Amzn-Mtls-Clientcert-Serial-Number", headerName},
	{"routing.http.request.x_amzn_mtls_clientcert_issuer.header_name", "X-Amzn-Mtls-Clientcert-Issuer", headerName},
	{"routing.http.request.x_amzn_mtls_clientcert_subject.header_name", "X-Amzn-Mtls-Clientcert-Subject", headerName},
	{"routing.http.request.x_amzn_mtls_clientcert_validity.header_name", "X-Amzn-Mtls-Clientcert-Validity", headerName},
	{"routing.http.request.x_amzn_mtls_clientcert_leaf.header_name", "X-Amzn-Mtls-Clientcert-Leaf", headerName},
	{"routing.http.request.x_amzn_mtls_clientcert.header_name", "X-Amzn-Mtls-Clientcert", headerName},
	{"routing.http.request.x_amzn_tls_version.header_name", "X-Amzn-Tls-Version", headerName},
	{"routing.http.request.x_amzn_tls_cipher_suite.header_name", "X-Amzn-Tls-Cipher-Suite", headerName},
}

// responseHeaders are what a listener adds to answers, or takes from them.
var responseHeaders = []attribute{
	{"routing.http.response.server.enabled", "true", boolean},
	{"routing.http.response.strict_transport_security.header_value", "", headerValue},
	{"routing.http.response.access_control_allow_origin.header_value", "", headerValue},
	{"routing.http.response.access_control_allow_methods.header_value", "", headerValue},
	{"routing.http.response.access_control_allow_headers.header_value", "", headerValue},
	{"routing.http.response.access_control_allow_credentials.header_value", "", oneOf("", "true")},
	{"routing.http.response.access_control_expose_headers.header_value", "", headerValue},
	{"routing.http.response.access_control_max_age.header_value", "", between(0, 86400, "")},
	{"routing.http.response.content_security_policy.header_value", "", headerValue},
	{"routing.http.response.x_content_type_options.header_value", "", oneOf("", "nosniff")},
	{"routing.http.response.x_frame_options.header_value", "", oneOf("", "DENY", "SAMEORIGIN")},
}

var (
	token      = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$") // RFC 9110, 5.6.2
	fieldValue = regexp.MustCompile(`^[\x20-\x7e]*$`)
)

func headerName(key, value string) error {
	if len(value) > 128 || !token.MatchString(value) {
		return invalid("The value of '%s' must be a header name, but was '%s'", key, value)
	}
	return nil
}

func headerValue(key, value string) error {
	if len(value) > 1024 || !fieldValue.MatchString(value) {
		return invalid("The value of '%s' must be a header value of at most 1024 characters", key)
	}
	return nil
}

// ModifyListenerAttributes changes some attributes and shows all.
func (s *Server) ModifyListenerAttributes(ctx context.Context, in *elbv2.ModifyListenerAttributesInput) (*elbv2.ModifyListenerAttributesOutput, error) {
	out := &elbv2.ModifyListenerAttributesOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		l, err := listener(tx, scope, *in.ListenerArn)
		if err != nil {
			return err
		}
		c := *l
		if c.Attributes, err = listenerAttributes(l.Listener.Protocol).change(l.Attributes, listenerSettings(in.Attributes)); err != nil {
			return err
		}
		store.ELBListeners.Put(tx, &c)
		out.Attributes = showListener(&c)
		return nil
	})
}

// DescribeListenerAttributes shows all attributes.
func (s *Server) DescribeListenerAttributes(ctx context.Context, in *elbv2.DescribeListenerAttributesInput) (*elbv2.DescribeListenerAttributesOutput, error) {
	r, scope := s.view(ctx)
	l, err := listener(r, scope, *in.ListenerArn)
	if err != nil {
		return nil, err
	}
	return &elbv2.DescribeListenerAttributesOutput{Attributes: showListener(l)}, nil
}

func showListener(l *record.ELBListener) []elbv2.ListenerAttribute {
	return show(listenerAttributes(l.Listener.Protocol), l.Attributes, func(k, v *string) elbv2.ListenerAttribute {
		return elbv2.ListenerAttribute{Key: k, Value: v}
	})
}
