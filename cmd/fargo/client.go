package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"fargo/aws/protocol"
	"fargo/aws/sigv4"
	"fargo/instance"
)

// client calls the public API, as any other client does.
type client struct {
	endpoint string
	key      instance.AccessKey
	token    string // of the key's session, or ""
	region   string
	http     *http.Client
}

// newClient makes a client of an instance that is up.
func newClient(dataDir, region string) (*client, error) {
	inst, err := instance.Find(dataDir)
	if err != nil {
		return nil, fmt.Errorf("%w; fargo up makes one", err)
	}
	endpoint, err := inst.Endpoint()
	if err != nil {
		return nil, err
	}
	if endpoint == "" {
		return nil, fmt.Errorf("fargo up has not been ready yet with %s", inst.Dir)
	}
	key, err := inst.AdminKey()
	return &client{
		endpoint: endpoint, key: key, region: region,
		http: &http.Client{Transport: &http.Transport{DialTLSContext: dialAPI(inst)}},
	}, err
}

// callError is what an operation answered instead of its output.
type callError struct{ operation, code, message string }

func (e *callError) Error() string { return e.operation + ": " + e.message }

// call calls an operation of a service with a JSON protocol and decodes the answer
// into out.
func (c *client) call(ctx context.Context, service *protocol.Service, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-"+service.JSONVersion)
	r.Header.Set("X-Amz-Target", service.TargetPrefix+"."+operation)
	sigv4.Sign(r, body, sigv4.Credentials{AccessKeyID: c.key.ID, Secret: c.key.Secret, Token: c.token}, c.region, service.SigningName, time.Now())
	resp, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		refused := struct {
			Type    string `json:"__type"`
			Message string
		}{Message: resp.Status}
		_ = json.Unmarshal(answer, &refused) // else the status has to do
		return &callError{operation: operation, code: refused.Type, message: refused.Message}
	}
	return json.Unmarshal(answer, out)
}

// dialTimeout bounds the wait for the APIs to take a connection.
const dialTimeout = 10 * time.Second

// dialAPI gives a function that connects over TLS to an instance's own APIs, at whatever
// address. They must have a certificate of the instance's authority, which is read each time:
// it is another one after up --begin-anew.
func dialAPI(inst *instance.Instance) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		authority, err := os.ReadFile(inst.CAFile())
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(authority) {
			return nil, fmt.Errorf("%s is damaged, and fargo up writes it again", inst.CAFile())
		}
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		d := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: apiName}}
		return d.DialContext(ctx, network, address)
	}
}
