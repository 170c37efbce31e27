package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Exit codes of curl. Source: curl(1), "EXIT CODES".
const (
	exitUsage     = 2
	exitURL       = 3
	exitResolve   = 6
	exitConnect   = 7
	exitHTTPError = 22
	exitWrite     = 23
	exitTimeout   = 28
	exitReceive   = 56
)

// curlError ends curl with a code and, unless silenced, a line on stderr.
type curlError struct {
	code int
	text string
}

// Error gives the line as curl writes it.
func (e *curlError) Error() string { return fmt.Sprintf("curl: (%d) %s", e.code, e.text) }

// curlOptions are the options there are: those that health checks and lessons
// use. Any other is refused.
type curlOptions struct {
	url, method, output, data string
	headers                   []string
	maxTime                   time.Duration
	fail, silent, show        bool
	verbose, include, head    bool
	posts                     bool
}

// curl does what curl does with args and gives its exit code. It stands in for
// curl in an image that has no libraries, where a task definition's health
// check is "curl -f http://localhost:8080/health || exit 1".
func curl(args []string, stdout, stderr io.Writer) int {
	o, err := parseCurl(args)
	if err == nil {
		err = o.run(stdout, stderr)
	}
	var e *curlError
	if !errors.As(err, &e) {
		return 0
	}
	if !o.silent || o.show {
		fmt.Fprintln(stderr, e)
	}
	return e.code
}

// long are the long names of the options.
var long = map[string]string{
	"fail": "f", "silent": "s", "show-error": "S", "verbose": "v", "include": "i", "head": "I", "location": "L",
	"output": "o", "request": "X", "header": "H", "data": "d", "max-time": "m",
}

// parseCurl reads the command line: "-fsS", "-o file", "-ofile", "--max-time 2".
func parseCurl(args []string) (o curlOptions, err error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		letters, isLong := "", strings.HasPrefix(arg, "--")
		switch {
		case isLong:
			if letters = long[arg[2:]]; letters == "" {
				return o, &curlError{exitUsage, "option " + arg + ": is unknown"}
			}
		case len(arg) > 1 && arg[0] == '-':
			letters = arg[1:]
		default:
			o.url = arg
			continue
		}
		for letters != "" {
			letter := letters[:1]
			letters = letters[1:]
			if o.flag(letter) {
				continue
			}
			value := letters
			letters = ""
			if value == "" {
				if len(args) == 0 {
					return o, &curlError{exitUsage, "option " + arg + ": requires parameter"}
				}
				value, args = args[0], args[1:]
			}
			if err := o.set(letter, value); err != nil {
				return o, err
			}
		}
	}
	if o.url == "" {
		return o, &curlError{exitUsage, "no URL specified"}
	}
	return o, nil
}

// flag sets an option that has no value.
func (o *curlOptions) flag(letter string) bool {
	switch letter {
	case "f":
		o.fail = true
	case "s":
		o.silent = true
	case "S":
		o.show = true
	case "v":
		o.verbose = true
	case "i":
		o.include = true
	case "I":
		o.head, o.include = true, true
	case "L": // redirects are always followed
	default:
		return false
	}
	return true
}

// set sets an option that has a value.
func (o *curlOptions) set(letter, value string) error {
	switch letter {
	case "o":
		o.output = value
	case "X":
		o.method = value
	case "H":
		o.headers = append(o.headers, value)
	case "d":
		if o.posts {
			value = o.data + "&" + value
		}
		o.data, o.posts = value, true
	case "m":
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || seconds < 0 {
			return &curlError{exitUsage, "expected a proper numerical parameter"}
		}
		o.maxTime = time.Duration(seconds * float64(time.Second))
	default:
		return &curlError{exitUsage, "option -" + letter + ": is unknown"}
	}
	return nil
}

func (o *curlOptions) run(stdout, stderr io.Writer) error {
	ctx := context.Background()
	if o.maxTime > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.maxTime)
		defer cancel()
	}
	r, err := o.request(ctx)
	if err != nil {
		return err
	}
	if o.verbose {
		fmt.Fprintf(stderr, "> %s %s HTTP/1.1\n> Host: %s\n", r.Method, r.URL.RequestURI(), r.Host)
		writeHeader(stderr, "> ", r.Header)
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial}}
	resp, err := client.Do(r)
	if err != nil {
		return failure(err, r.URL.Host)
	}
	defer resp.Body.Close()
	if o.verbose {
		fmt.Fprintf(stderr, "< %s %s\n", resp.Proto, resp.Status)
		writeHeader(stderr, "< ", resp.Header)
	}
	if o.fail && resp.StatusCode >= 400 {
		return &curlError{exitHTTPError, fmt.Sprintf("The requested URL returned error: %d", resp.StatusCode)}
	}
	return o.write(stdout, resp)
}

// dial connects to an address. localhost needs no resolver, and is this machine
// whatever a resolver says. Source: RFC 6761, section 6.3.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil && host == "localhost" {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

func (o *curlOptions) request(ctx context.Context) (*http.Request, error) {
	url, method := o.url, o.method
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	switch {
	case method != "":
	case o.posts:
		method = http.MethodPost
	case o.head:
		method = http.MethodHead
	}
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(o.data))
	if err != nil || r.URL.Host == "" {
		return nil, &curlError{exitURL, "URL using bad/illegal format or missing URL"}
	}
	r.Header.Set("User-Agent", "curl")
	r.Header.Set("Accept", "*/*")
	if o.posts {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range o.headers {
		name, value, _ := strings.Cut(h, ":")
		r.Header.Set(name, strings.TrimSpace(value))
		if strings.EqualFold(name, "Host") {
			r.Host = strings.TrimSpace(value)
		}
	}
	return r, nil
}

// write puts an answer where it should go.
func (o *curlOptions) write(stdout io.Writer, resp *http.Response) error {
	if o.output != "" && o.output != "-" {
		f, err := os.Create(o.output)
		if err != nil {
			return &curlError{exitWrite, "Failure writing output to destination"}
		}
		defer f.Close()
		stdout = f
	}
	if o.include {
		fmt.Fprintf(stdout, "%s %s\r\n", resp.Proto, resp.Status)
		writeHeader(stdout, "", resp.Header)
		fmt.Fprint(stdout, "\r\n")
	}
	if _, err := io.Copy(stdout, resp.Body); err != nil {
		return failure(err, resp.Request.URL.Host)
	}
	return nil
}

func writeHeader(w io.Writer, mark string, h http.Header) {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			fmt.Fprintf(w, "%s%s: %s\r\n", mark, name, value)
		}
	}
}

// failure gives a transport's error the code curl has for it.
func failure(err error, host string) error {
	var timeout net.Error
	switch {
	case errors.As(err, new(*net.DNSError)):
		return &curlError{exitResolve, "Could not resolve host: " + host}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &curlError{exitTimeout, "Operation timed out"}
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return &curlError{exitConnect, "Failed to connect to " + host}
	}
	return &curlError{exitReceive, err.Error()}
}
