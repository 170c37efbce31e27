package acm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"fargo/api"
	"fargo/aws/acm"
	"fargo/record"
	"fargo/store"
)

// maxItems is how many certificates a page has at most.
// Source: ACM API, ListCertificates.
const maxItems = 1000

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
	return page(all, in)
}

// place is where a certificate stands in a list: after those before it, whether
// they are still there or not.
type place struct {
	CreatedAt time.Time
	ARN       string
}

func placeOf(m acm.CertificateSummary) place { return place{*m.CreatedAt, *m.CertificateArn} }

// before compares the places of two certificates in the list that is asked for.
func before(in *acm.ListCertificatesInput, a, b place) int {
	if in.SortOrder == acm.SortOrderDescending {
		a, b = b, a
	}
	if in.SortBy != "" && !a.CreatedAt.Equal(b.CreatedAt) {
		return a.CreatedAt.Compare(b.CreatedAt)
	}
	return strings.Compare(a.ARN, b.ARN)
}

// page takes one page out of all summaries: those after the place in the token.
func page(all []acm.CertificateSummary, in *acm.ListCertificatesInput) (*acm.ListCertificatesOutput, error) {
	slices.SortFunc(all, func(a, b acm.CertificateSummary) int { return before(in, placeOf(a), placeOf(b)) })
	if in.NextToken != nil {
		last := place{}
		b, err := base64.RawURLEncoding.DecodeString(*in.NextToken)
		if err != nil || json.Unmarshal(b, &last) != nil {
			return nil, invalid("The next token is not valid.")
		}
		all = slices.DeleteFunc(all, func(m acm.CertificateSummary) bool { return before(in, placeOf(m), last) <= 0 })
	}
	limit := maxItems
	if in.MaxItems != nil {
		limit = int(*in.MaxItems)
	}
	out := &acm.ListCertificatesOutput{CertificateSummaryList: append([]acm.CertificateSummary{}, all...)}
	if len(all) > limit {
		out.CertificateSummaryList = all[:limit]
		last, err := json.Marshal(placeOf(all[limit-1]))
		if err != nil {
			return nil, err
		}
		out.NextToken = new(base64.RawURLEncoding.EncodeToString(last))
	}
	return out, nil
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
	f := acm.Filters{}
	if in.Includes != nil {
		f = *in.Includes
	}
	if len(f.KeyTypes) == 0 {
		f.KeyTypes = []acm.KeyAlgorithm{acm.KeyAlgorithmRsa1024, acm.KeyAlgorithmRsa2048}
	}
	return (len(in.CertificateStatuses) == 0 || slices.Contains(in.CertificateStatuses, m.Status)) &&
		(len(in.CertificateKeyPairOrigins) == 0 || slices.Contains(in.CertificateKeyPairOrigins, m.CertificateKeyPairOrigin)) &&
		slices.Contains(f.KeyTypes, m.KeyAlgorithm) &&
		(f.ExportOption == "" || f.ExportOption == m.ExportOption) && (f.ManagedBy == "" || f.ManagedBy == m.ManagedBy) &&
		shares(f.KeyUsage, m.KeyUsages) && shares(f.ExtendedKeyUsage, m.ExtendedKeyUsages)
}

// shares reports whether a filter, if there is one, has a value in common with
// a certificate.
func shares[T comparable](filter, has []T) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(f T) bool { return slices.Contains(has, f) })
}
