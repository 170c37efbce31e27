package s3

import (
	"context"
	"strings"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/s3"
	"fargo/record"
	"fargo/store"
)

// mostKeys is the largest page of a list, and the one that is given when none is asked
// for.
const mostKeys = 1000

// listing is which part of a bucket's keys is asked for.
type listing struct {
	bucket, prefix, delimiter string
	after                     string // the last key or common prefix of the page before
	most                      int
}

// listed is a page of a list.
type listed struct {
	objects  []*record.Object
	prefixes []string // keys up to a delimiter, once for all keys that begin with each
	next     string   // after which the list goes on; "" when this was all
}

// list walks over the keys of a page, and passes over all keys of a common prefix at
// once.
func list(r store.Reader, l listing) (page listed) {
	last := ""
	for from := record.ObjectKey(l.bucket, l.first()); from != ""; {
		next := ""
		for o := range store.Objects.From(r, from) {
			if o.Bucket != l.bucket || !strings.HasPrefix(o.Name, l.prefix) {
				break
			}
			common := l.common(o.Name)
			if common != "" && common == l.after {
				next = beyond(o.Bucket, common)
				break
			}
			if len(page.objects)+len(page.prefixes) >= l.most {
				if l.most > 0 {
					page.next = last
				}
				return page
			}
			if common != "" {
				page.prefixes, last, next = append(page.prefixes, common), common, beyond(o.Bucket, common)
				break
			}
			page.objects, last = append(page.objects, o), o.Name
		}
		from = next
	}
	return page
}

// first is the first key that may be in the page.
func (l listing) first() string {
	if l.after == "" {
		return l.prefix
	}
	return max(l.prefix, l.after+"\x00")
}

// common is a key up to the first delimiter after the prefix; "" when it has none.
func (l listing) common(key string) string {
	if l.delimiter == "" {
		return ""
	}
	if i := strings.Index(key[len(l.prefix):], l.delimiter); i >= 0 {
		return key[:len(l.prefix)+i+len(l.delimiter)]
	}
	return ""
}

// beyond is the least store key above those of all objects whose key has a prefix.
func beyond(bucket, prefix string) string {
	key := []byte(record.ObjectKey(bucket, prefix))
	key[len(key)-1]++ // text in UTF-8 has no byte 0xff
	return string(key)
}

// encoder gives names as the client wants them in the answer.
func encoder(encoding s3.EncodingType) func(string) *string {
	if encoding != s3.EncodingTypeUrl {
		return func(s string) *string { return &s }
	}
	return func(s string) *string { return new(encodeKey(s)) }
}

// encodeKey encodes a key for a URL but for its slashes, as S3 does.
func encodeKey(key string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(key) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~/*", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func pageSize(name string, n *int32) (int, error) {
	most := aws.ValueOr(n, mostKeys)
	if most < 0 {
		return 0, invalidArgument(name, "", "Argument %s must be an integer between 0 and 2147483647", name)
	}
	return int(min(most, mostKeys)), nil
}

func (p *listed) contents(encode func(string) *string, owner *s3.Owner) []s3.Object {
	var all []s3.Object
	for _, o := range p.objects {
		item := s3.Object{
			Key: encode(o.Name), LastModified: &o.Modified, ETag: quoted(o.ETag), Size: new(o.Size()),
			StorageClass: s3.ObjectStorageClassStandard, Owner: owner,
		}
		if c := o.Checksum; c != nil {
			item.ChecksumAlgorithm, item.ChecksumType = []s3.ChecksumAlgorithm{c.Algorithm}, c.Type
		}
		all = append(all, item)
	}
	return all
}

func (p *listed) common(encode func(string) *string) []s3.CommonPrefix {
	var all []s3.CommonPrefix
	for _, prefix := range p.prefixes {
		all = append(all, s3.CommonPrefix{Prefix: encode(prefix)})
	}
	return all
}

func encodeGiven(encode func(string) *string, s *string) *string {
	if s == nil {
		return nil
	}
	return encode(*s)
}

// ListObjectsV2 lists objects.
func (s *Server) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	r := s.DB.View()
	b, err := s.bucket(ctx, r, in.Bucket)
	if err != nil {
		return nil, err
	}
	most, err := pageSize("max-keys", in.MaxKeys)
	if err != nil {
		return nil, err
	}
	after, err := openToken("continuation-token", in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	if after == "" {
		after = aws.Value(in.StartAfter)
	}
	page := list(r, listing{b.Name, aws.Value(in.Prefix), aws.Value(in.Delimiter), after, most})
	encode := encoder(in.EncodingType)
	var of *s3.Owner
	if aws.Value(in.FetchOwner) {
		of = owner(b.Scope.Account)
	}
	out := &s3.ListObjectsV2Output{
		Name: &b.Name, Prefix: encode(aws.Value(in.Prefix)), Delimiter: encodeGiven(encode, in.Delimiter), MaxKeys: new(int32(most)),
		EncodingType: in.EncodingType, KeyCount: new(int32(len(page.objects) + len(page.prefixes))), IsTruncated: new(page.next != ""),
		ContinuationToken: in.ContinuationToken, StartAfter: encodeGiven(encode, in.StartAfter),
		Contents: page.contents(encode, of), CommonPrefixes: page.common(encode),
	}
	if page.next != "" {
		out.NextContinuationToken = sealToken(page.next)
	}
	return out, nil
}

// ListObjects lists objects as S3's first version of it does.
func (s *Server) ListObjects(ctx context.Context, in *s3.ListObjectsInput) (*s3.ListObjectsOutput, error) {
	r := s.DB.View()
	b, err := s.bucket(ctx, r, in.Bucket)
	if err != nil {
		return nil, err
	}
	most, err := pageSize("max-keys", in.MaxKeys)
	if err != nil {
		return nil, err
	}
	page := list(r, listing{b.Name, aws.Value(in.Prefix), aws.Value(in.Delimiter), aws.Value(in.Marker), most})
	encode := encoder(in.EncodingType)
	out := &s3.ListObjectsOutput{
		Name: &b.Name, Prefix: new(aws.Value(in.Prefix)), Delimiter: encodeGiven(encode, in.Delimiter), MaxKeys: new(int32(most)),
		EncodingType: in.EncodingType, IsTruncated: new(page.next != ""), Marker: encode(aws.Value(in.Marker)),
		Contents: page.contents(encode, owner(b.Scope.Account)), CommonPrefixes: page.common(encode),
	}
	if page.next != "" && in.Delimiter != nil {
		out.NextMarker = encode(page.next)
	}
	return out, nil
}

// ListObjectVersions lists objects as those of a bucket that never had versions.
func (s *Server) ListObjectVersions(ctx context.Context, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	r := s.DB.View()
	b, err := s.bucket(ctx, r, in.Bucket)
	if err != nil {
		return nil, err
	}
	most, err := pageSize("max-keys", in.MaxKeys)
	if err != nil {
		return nil, err
	}
	page := list(r, listing{b.Name, aws.Value(in.Prefix), aws.Value(in.Delimiter), aws.Value(in.KeyMarker), most})
	encode := encoder(in.EncodingType)
	out := &s3.ListObjectVersionsOutput{
		Name: &b.Name, Prefix: encode(aws.Value(in.Prefix)), Delimiter: encodeGiven(encode, in.Delimiter), MaxKeys: new(int32(most)),
		EncodingType: in.EncodingType, IsTruncated: new(page.next != ""), KeyMarker: encode(aws.Value(in.KeyMarker)),
		VersionIdMarker: new(aws.Value(in.VersionIdMarker)), CommonPrefixes: page.common(encode),
	}
	if page.next != "" {
		out.NextKeyMarker, out.NextVersionIdMarker = encode(page.next), new("null")
	}
	for _, o := range page.objects {
		out.Versions = append(out.Versions, s3.ObjectVersion{
			Key: encode(o.Name), VersionId: new("null"), IsLatest: new(true), LastModified: &o.Modified, ETag: quoted(o.ETag), Size: new(o.Size()),
			StorageClass: s3.ObjectVersionStorageClassStandard, Owner: owner(api.CallFrom(ctx).Account),
		})
	}
	return out, nil
}
