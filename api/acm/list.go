package acm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/acm"
	"fargo/record"
	"fargo/store"
)

// pages are those of the list; the bounds of a page are in the model.
// Source: ACM API, ListCertificates.
var pages = page.Rules{
	Default:  1000,
	BadToken: func(string) error { return invalid("The next token is not valid.") },
}

// maxSummaries is how many names a summary has.
// Source: ACM API, CertificateSummary.
const maxSummaries = 100

// ListCertificates lists certificates, in the order of their ARNs. Without a filter, it
// lists those with the key algorithms RSA_1024 and RSA_2048 only.
func (s *Server) ListCertificates(ctx context.Context, in *acm.ListCertificatesInput) (*acm.ListCertificatesOutput, error) {
	if (in.SortBy == "") != (in.SortOrder == "") {
		return nil, invalid("SortBy and SortOrder must be specified together.")
	}
	view, at := s.db.View(), now()
	var all []acm.CertificateSummary
	for c := range store.Certificates.Prefix(view, api.CallFrom(ctx).Scope().ARN("acm", "certificate/")) {
		if m := summary(view, c, at); listed(in, &m) {
			all = append(all, m)
		}
	}
	descending := in.SortOrder == acm.SortOrderDescending
	key := func(m acm.CertificateSummary) string { return sortKey(in.SortBy, m) }
	slices.SortFunc(all, func(a, b acm.CertificateSummary) int { return strings.Compare(key(a), key(b)) })
	if descending {
		slices.Reverse(all)
	}
	list, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxItems).Descending(descending), slices.Values(all), key)
	return &acm.ListCertificatesOutput{CertificateSummaryList: list, NextToken: next}, err
}

// sortKey is a key of certificates that sorts them as is asked for: by their age and,
// among those of the same age or if nothing is asked for, by their ARNs.
func sortKey(by acm.SortBy, m acm.CertificateSummary) string {
	if by == "" {
		return *m.CertificateArn
	}
	return fmt.Sprintf("%019d %s", m.CreatedAt.UnixNano(), *m.CertificateArn)
}

func summary(r store.Reader, c *record.Certificate, at time.Time) acm.CertificateSummary {
	d := shown(r, c, at)
	m := acm.CertificateSummary{
		CertificateArn: d.CertificateArn, DomainName: d.DomainName, Status: d.Status, Type: d.Type, KeyAlgorithm: d.KeyAlgorithm,
		SubjectAlternativeNameSummaries: d.SubjectAlternativeNames, HasAdditionalSubjectAlternativeNames: new(false),
		InUse: new(len(d.InUseBy) > 0), Exported: new(c.Exported), ExportOption: d.Options.Export, RenewalEligibility: d.RenewalEligibility,
		NotBefore: d.NotBefore, NotAfter: d.NotAfter, CreatedAt: d.CreatedAt, IssuedAt: d.IssuedAt, ImportedAt: d.ImportedAt,
		CertificateKeyPairOrigin: d.CertificateKeyPairOrigin,
		KeyUsages:                []acm.KeyUsageName{}, ExtendedKeyUsages: []acm.ExtendedKeyUsageName{},
	}
	if len(m.SubjectAlternativeNameSummaries) > maxSummaries {
		m.SubjectAlternativeNameSummaries, m.HasAdditionalSubjectAlternativeNames = m.SubjectAlternativeNameSummaries[:maxSummaries], new(true)
	}
	for _, u := range d.KeyUsages {
		m.KeyUsages = append(m.KeyUsages, u.Name)
	}
	for _, u := range d.ExtendedKeyUsages {
		m.ExtendedKeyUsages = append(m.ExtendedKeyUsages, u.Name)
	}
	return m
}

// listed reports whether a certificate passes the filters.
func listed(in *acm.ListCertificatesInput, m *acm.CertificateSummary) bool {
	f := aws.Value(in.Includes)
	if len(f.KeyTypes) == 0 {
		f.KeyTypes = []acm.KeyAlgorithm{acm.KeyAlgorithmRsa1024, acm.KeyAlgorithmRsa2048}
	}
	return (len(in.CertificateStatuses) == 0 || slices.Contains(in.CertificateStatuses, m.Status)) &&
		(len(in.CertificateKeyPairOrigins) == 0 || slices.Contains(in.CertificateKeyPairOrigins, m.CertificateKeyPairOrigin)) &&
		slices.ContainsFunc(f.KeyTypes, func(k acm.KeyAlgorithm) bool { return hyphenated(k) == m.KeyAlgorithm }) &&
		(f.ExportOption == "" || f.ExportOption == m.ExportOption) && (f.ManagedBy == "" || f.ManagedBy == m.ManagedBy) &&
		shares(f.KeyUsage, m.KeyUsages) && shares(f.ExtendedKeyUsage, m.ExtendedKeyUsages)
}

// shares reports whether a filter, if there is one, has a value in common with
// a certificate.
func shares[T comparable](filter, has []T) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(f T) bool { return slices.Contains(has, f) })
}
