package acm

import (
	"fargo/api"
	"fargo/aws/acm"
	"fargo/store"
)

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "AWS Certificate Manager". That tags of
// a new certificate need acm:AddTagsToCertificate is inferred from other services.
var Actions = &api.Actions{
	Prefix:      "acm",
	TagOnCreate: "acm:AddTagsToCertificate",
	Tags: func(r store.Reader, arn string) map[string]string {
		c, ok := store.Certificates.Get(r, arn)
		if !ok {
			return nil
		}
		return tagMap(c.Tags)
	},
	Rows: map[string]api.Row{
		"RequestCertificate": api.AnyResource[acm.RequestCertificateInput]().
			Tags(func(in *acm.RequestCertificateInput) map[string]string { return tagMap(in.Tags) }).Creates().
			Key("acm:DomainNames", func(_ *api.Query, in *acm.RequestCertificateInput) []string {
				return append(api.Given(in.DomainName), in.SubjectAlternativeNames...)
			}).
			Key("acm:ValidationMethod", func(_ *api.Query, in *acm.RequestCertificateInput) []string { return api.Given(&in.ValidationMethod) }).
			Key("acm:KeyAlgorithm", func(_ *api.Query, in *acm.RequestCertificateInput) []string { return api.Given(&in.KeyAlgorithm) }),
		"ImportCertificate": api.On(func(q *api.Query, in *acm.ImportCertificateInput) []string {
			if in.CertificateArn == nil {
				return []string{q.ARN("acm", "certificate/*")} // a new one
			}
			return api.Given(in.CertificateArn)
		}).Tags(func(in *acm.ImportCertificateInput) map[string]string { return tagMap(in.Tags) }).Creates(),
		"ListCertificates":         api.AnyResource[any](),
		"DeleteCertificate":        on(func(in *acm.DeleteCertificateInput) *string { return in.CertificateArn }),
		"DescribeCertificate":      on(func(in *acm.DescribeCertificateInput) *string { return in.CertificateArn }),
		"ExportCertificate":        on(func(in *acm.ExportCertificateInput) *string { return in.CertificateArn }),
		"GetCertificate":           on(func(in *acm.GetCertificateInput) *string { return in.CertificateArn }),
		"ListTagsForCertificate":   on(func(in *acm.ListTagsForCertificateInput) *string { return in.CertificateArn }),
		"RenewCertificate":         on(func(in *acm.RenewCertificateInput) *string { return in.CertificateArn }),
		"UpdateCertificateOptions": on(func(in *acm.UpdateCertificateOptionsInput) *string { return in.CertificateArn }),
		"AddTagsToCertificate": on(func(in *acm.AddTagsToCertificateInput) *string { return in.CertificateArn }).
			Tags(func(in *acm.AddTagsToCertificateInput) map[string]string { return tagMap(in.Tags) }),
		"RemoveTagsFromCertificate": on(func(in *acm.RemoveTagsFromCertificateInput) *string { return in.CertificateArn }).
			Tags(func(in *acm.RemoveTagsFromCertificateInput) map[string]string { return tagMap(in.Tags) }),
	},
}

func on[In any](arn func(*In) *string) api.Rule[In] {
	return api.On(func(_ *api.Query, in *In) []string { return api.Given(arn(in)) })
}

func tagMap(tags []acm.Tag) map[string]string {
	return api.TagMap(tags, func(t acm.Tag) (key, value *string) { return t.Key, t.Value })
}
