package warehouse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// requestTimeout ends a request that nothing comes of. The largest is the upload of a
// data file.
const requestTimeout = 10 * time.Minute

// s3FS is S3, or what speaks its protocol. An object is there whole or not at all, and its
// name with it.
type s3FS struct{ client *s3.Client }

var _ Files = s3FS{}

// s3Clients are those in use, by the properties that they were made of: each
// has connections and asks for credentials of its own.
var s3Clients = struct {
	sync.Mutex
	by map[string]*s3.Client
}{by: map[string]*s3.Client{}}

// mostClients bounds them where a catalog gives out other keys all the time.
const mostClients = 64

// openS3 is what iceberg-go calls for locations of S3. props are those of the catalog, and
// what it says of the table.
func openS3(ctx context.Context, _ *url.URL, props map[string]string) (iceio.IO, error) {
	var key strings.Builder
	for _, p := range []string{iceio.S3EndpointURL, iceio.S3Region, iceio.S3ClientRegion, iceio.S3AccessKeyID, iceio.S3SecretAccessKey, iceio.S3SessionToken, iceio.S3ForceVirtualAddressing} {
		fmt.Fprintf(&key, "%q", props[p])
	}
	s3Clients.Lock()
	defer s3Clients.Unlock()
	if c := s3Clients.by[key.String()]; c != nil {
		return s3FS{c}, nil
	}
	c, err := newS3Client(ctx, props)
	if err != nil {
		return nil, err
	}
	if len(s3Clients.by) == mostClients {
		clear(s3Clients.by)
	}
	s3Clients.by[key.String()] = c
	return s3FS{c}, nil
}

func newS3Client(ctx context.Context, props map[string]string) (*s3.Client, error) {
	var opts []func(*config.LoadOptions) error
	for _, p := range []string{iceio.S3Region, iceio.S3ClientRegion} {
		if props[p] != "" {
			opts = append(opts, config.WithRegion(props[p]))
			break
		}
	}
	if id := props[iceio.S3AccessKeyID]; id != "" {
		opts = append(opts, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(id, props[iceio.S3SecretAccessKey], props[iceio.S3SessionToken])))
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("setting up S3: %w", err)
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		if e := props[iceio.S3EndpointURL]; e != "" {
			o.BaseEndpoint = aws.String(e)
			// Others know neither AWS's checksums nor names of buckets as hosts, unless they say so.
			o.RequestChecksumCalculation, o.ResponseChecksumValidation = aws.RequestChecksumCalculationWhenRequired, aws.ResponseChecksumValidationWhenRequired
			o.UsePathStyle = props[iceio.S3ForceVirtualAddressing] != "true"
		}
	}), nil
}

// object splits a location into bucket and key.
func object(location string) (bucket, key *string, err error) {
	_, rest, ok := strings.Cut(location, "://")
	b, k, slash := strings.Cut(rest, "/")
	if !ok || !slash || b == "" || k == "" {
		return nil, nil, fmt.Errorf("%q is no location in S3", location)
	}
	return &b, &k, nil
}

func timed() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), requestTimeout)
}

// s3Error words an error, and makes fs.ErrNotExist of what is one.
func s3Error(op, location string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) && (api.ErrorCode() == "NoSuchKey" || api.ErrorCode() == "NotFound") {
		err = fs.ErrNotExist
	}
	return &fs.PathError{Op: op, Path: location, Err: err}
}

// put writes an object.
func (s s3FS) put(location string, content io.ReadSeeker) error {
	bucket, key, err := object(location)
	if err != nil {
		return err
	}
	ctx, cancel := timed()
	defer cancel()
	if _, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: content}); err != nil {
		return s3Error("write", location, err)
	}
	return nil
}

// WriteFile writes an object.
func (s s3FS) WriteFile(location string, content []byte) error {
	return s.put(location, bytes.NewReader(content))
}

// Remove deletes an object, which may be gone.
func (s s3FS) Remove(location string) error {
	bucket, key, err := object(location)
	if err != nil {
		return err
	}
	ctx, cancel := timed()
	defer cancel()
	if _, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key}); err != nil {
		return s3Error("remove", location, err)
	}
	return nil
}

// RemoveAll deletes the objects of a folder.
func (s s3FS) RemoveAll(location string) error {
	bucket, prefix, err := object(location + "/")
	if err != nil {
		return err
	}
	ctx, cancel := timed()
	defer cancel()
	for pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: prefix}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s3Error("list", location, err)
		}
		var ids []types.ObjectIdentifier
		for _, o := range page.Contents {
			ids = append(ids, types.ObjectIdentifier{Key: o.Key})
		}
		if len(ids) == 0 {
			continue
		}
		out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)}})
		if err != nil {
			return s3Error("remove", location, err)
		}
		if len(out.Errors) > 0 {
			return s3Error("remove", location, errors.New(aws.ToString(out.Errors[0].Message)))
		}
	}
	return nil
}

// SyncFolder has nothing to do.
func (s3FS) SyncFolder(string) error { return nil }

// PublishHead has nothing to do: there are no links, and readers have a catalog.
func (s3FS) PublishHead(*table.Table) error { return nil }

// DropMetadata deletes a metadata file.
func (s s3FS) DropMetadata(location string) error { return s.Remove(location) }

// Create is CreateFile in the library's words.
func (s s3FS) Create(location string) (iceio.FileWriter, error) { return s.create(location) }

// CreateFile begins an object.
func (s s3FS) CreateFile(location string) (File, error) { return s.create(location) }

func (s s3FS) create(location string) (*s3File, error) {
	f, err := os.CreateTemp("", "beluga-upload-")
	if err != nil {
		return nil, fmt.Errorf("creating a temporary file for %s: %w", path.Base(location), err)
	}
	_ = os.Remove(f.Name()) // so that a kill leaves nothing; a system that cannot do that yet does it at the end
	return &s3File{File: f, fs: s, location: location}, nil
}

// s3File is an object in the making: a local file until it is whole. So it takes no memory,
// however many tables there are, and a request that fails can be sent again.
type s3File struct {
	*os.File
	fs       s3FS
	location string
}

// Size is how much was written.
func (f *s3File) Size() (int64, error) { return localFile{f.File}.Size() }

// Close writes the object.
func (f *s3File) Close() error {
	_, err := f.Seek(0, io.SeekStart)
	if err == nil {
		err = f.fs.put(f.location, f.File)
	}
	return errors.Join(err, f.Abort())
}

// Abort gives it up: nothing has been sent.
func (f *s3File) Abort() error { return errors.Join(f.File.Close(), removeIfThere(f.Name())) }
