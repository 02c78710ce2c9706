package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/patchtide/patchtide/internal/awssim/api"
	"github.com/patchtide/patchtide/internal/awssim/wire/ec2rule"
)

// queryCodec speaks AWS Query and its dialect EC2 Query: a form in, XML out.
type queryCodec struct {
	service string
	ec2     bool
	form    url.Values
}

// namespaces are those of each service's replies; clients do not look at them, other tools may.
var namespaces = map[string]string{
	"autoscaling":          "http://autoscaling.amazonaws.com/doc/2011-01-01/",
	"cloudformation":       "http://cloudformation.amazonaws.com/doc/2010-05-15/",
	"ec2":                  "http://ec2.amazonaws.com/doc/2016-11-15/",
	"elasticloadbalancing": "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
	"iam":                  "https://iam.amazonaws.com/doc/2010-05-08/",
	"monitoring":           "http://monitoring.amazonaws.com/doc/2010-08-01/",
	"sns":                  "http://sns.amazonaws.com/doc/2010-03-31/",
	"sts":                  "https://sts.amazonaws.com/doc/2011-06-15/",
}

// xmlTime is how the query protocols write times.
const xmlTime = "2006-01-02T15:04:05.000Z"

func (c queryCodec) decode(into any) error {
	tree := map[string]any{}
	for key, values := range c.form {
		if key == "Action" || key == "Version" {
			continue
		}
		if err := plant(tree, strings.Split(key, "."), values[0]); err != nil {
			return api.Errorf("MalformedQueryString", "parameter %s is both a value and a structure", key)
		}
	}
	name := plainName
	if c.ec2 {
		name = ec2RequestName
	}
	return assigner{name}.assign(reflect.ValueOf(into).Elem(), tree, "")
}

// plant puts a dotted parameter into a tree.
func plant(tree map[string]any, path []string, value string) error {
	for _, step := range path[:len(path)-1] {
		switch next := tree[step].(type) {
		case nil:
			branch := map[string]any{}
			tree[step] = branch
			tree = branch
		case map[string]any:
			tree = next
		default:
			return fmt.Errorf("%s is a value", step)
		}
	}
	last := path[len(path)-1]
	if tree[last] != nil {
		return fmt.Errorf("%s is given twice", last)
	}
	tree[last] = value
	return nil
}

func ec2RequestName(owner reflect.Type, field reflect.StructField) string {
	if name := ec2RequestNames[owner.Name()+"."+field.Name]; name != "" {
		return name
	}
	return ec2rule.Request(field.Name, field.Type)
}

func ec2ReplyName(owner reflect.Type, field reflect.StructField) string {
	if name := ec2ReplyNames[owner.Name()+"."+field.Name]; name != "" {
		return name
	}
	return ec2rule.Reply(field.Name, field.Type)
}

func (c queryCodec) encode(operation string, output any, requestID string) (Response, error) {
	if !strings.HasSuffix(operation, "Attribute") { // EC2 answers with the one attribute that was asked for
		fillLists(output)
	}
	w := &xmlWriter{name: plainName, item: "member"}
	w.text.WriteString(xml.Header)
	w.text.WriteString(`<` + operation + `Response xmlns="` + namespaces[c.service] + `">`)
	if c.ec2 {
		w.name, w.item = ec2ReplyName, "item"
		w.element("requestId", reflect.ValueOf(requestID))
		w.fields(reflect.ValueOf(output).Elem())
	} else {
		w.text.WriteString("<" + operation + "Result>")
		w.fields(reflect.ValueOf(output).Elem())
		w.text.WriteString("</" + operation + "Result><ResponseMetadata>")
		w.element("RequestId", reflect.ValueOf(requestID))
		w.text.WriteString("</ResponseMetadata>")
	}
	w.text.WriteString("</" + operation + "Response>")
	return xmlResponse(http.StatusOK, w.text.Bytes(), requestID), nil
}

func (c queryCodec) encodeError(failure *api.Error, requestID string) Response {
	w := &xmlWriter{}
	w.text.WriteString(xml.Header)
	detail := func() {
		w.element("Code", reflect.ValueOf(failure.Code))
		w.element("Message", reflect.ValueOf(failure.Message))
	}
	if c.ec2 {
		w.text.WriteString("<Response><Errors><Error>")
		detail()
		w.text.WriteString("</Error></Errors>")
		w.element("RequestID", reflect.ValueOf(requestID))
		w.text.WriteString("</Response>")
	} else {
		w.text.WriteString(`<ErrorResponse xmlns="` + namespaces[c.service] + `"><Error>`)
		w.element("Type", reflect.ValueOf(faultType(failure.HTTPStatus())))
		detail()
		w.text.WriteString("</Error>")
		w.element("RequestId", reflect.ValueOf(requestID))
		w.text.WriteString("</ErrorResponse>")
	}
	return xmlResponse(failure.HTTPStatus(), w.text.Bytes(), requestID)
}

func xmlResponse(status int, body []byte, requestID string) Response {
	return Response{Status: status, Body: body, Header: http.Header{
		"Content-Type":     {"text/xml;charset=UTF-8"},
		"X-Amzn-Requestid": {requestID},
	}}
}

// xmlWriter writes SDK values as elements.
type xmlWriter struct {
	text bytes.Buffer
	name namer
	item string // name of a list's elements
	flat bool   // lists are their elements, without one around them

	without map[string]string // fields that travel otherwise
}

func (w *xmlWriter) fields(v reflect.Value) {
	for _, field := range members(v.Type()) {
		if value := v.FieldByIndex(field.Index); !absent(value) && w.without[field.Name] == "" {
			w.element(w.name(v.Type(), field), value)
		}
	}
}

func (w *xmlWriter) element(name string, v reflect.Value) {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if w.flat && v.Kind() == reflect.Slice {
		for i := range v.Len() {
			w.element(name, v.Index(i))
		}
		return
	}
	w.text.WriteString("<" + name + ">")
	switch {
	case v.Type() == timeType:
		w.text.WriteString(timeOf(v).Format(xmlTime))
	case v.Kind() == reflect.Struct:
		w.fields(v)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		w.text.WriteString(base64.StdEncoding.EncodeToString(v.Bytes()))
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			w.element(w.item, v.Index(i))
		}
	case v.Kind() == reflect.Map:
		w.entries(v)
	default:
		_ = xml.EscapeText(&w.text, []byte(scalarText(v))) // a Buffer never fails
	}
	w.text.WriteString("</" + name + ">")
}

func (w *xmlWriter) entries(v reflect.Value) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		w.text.WriteString("<entry>")
		w.element("key", key)
		w.element("value", v.MapIndex(key))
		w.text.WriteString("</entry>")
	}
}

func scalarText(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return strconv.FormatInt(v.Int(), 10)
}
