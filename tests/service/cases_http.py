"""Hostile and odd HTTP: name, bytes, the statuses that are right. 0: closed without one.

Where several are right, libmicrohttpd decides, and its versions differ; that the request is
refused, and the connection with it, is what counts.
"""
from harness import chunked, post

REFUSED = {0, 400, 501, 505}


def get(path, *fields, version="HTTP/1.1", host=True):
    head = ["GET %s %s" % (path, version)] + (["Host: x"] if host else [])
    return "\r\n".join([*head, *fields]).encode("latin-1") + b"\r\n\r\n"


def cases(jpeg):
    n = len(jpeg)
    chunk = b"%x\r\n%s\r\n" % (n, jpeg)
    yield "line__plain_get__answered", get("/v2"), {200}
    yield "line__http_1_0__answered", get("/v2", version="HTTP/1.0"), {200}
    yield "line__query__answered", get("/v2?a=b&c"), {200}
    yield "line__leading_empty_line__answered", b"\r\n" + get("/v2"), {200}
    # libmicrohttpd 1.0 passes over one only, which RFC 9112 demands.
    yield "line__leading_empty_lines__no_harm", b"\r\n\r\n" + get("/v2"), {0, 200, 400}
    yield "line__http_0_9__refused", b"GET /v2\r\n\r\n", REFUSED
    yield "line__http_2_preface__refused", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REFUSED
    yield "line__http_3_7__refused", get("/v2", version="HTTP/3.7"), REFUSED
    yield "line__http_1_x__refused", get("/v2", version="HTTP/1.x"), REFUSED
    yield "line__lower_case_version__refused", get("/v2", version="http/1.1"), REFUSED
    yield "line__tls_hello__refused", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\0" * 90 + b"\r\n\r\n", REFUSED | {404, 405}
    yield "line__one_word__refused", b"GET\r\n\r\n", REFUSED
    yield "line__space_in_target__refused", get("/v2 /x"), REFUSED
    yield "line__nul_in_target__refused", b"GET /v2\0x HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED | {404, 200}
    yield "line__control_bytes__refused", b"\x01\x02\x03 \x04 HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED | {404}
    yield "line__target_2_kb__414", get("/" + "a" * 2000), {414}
    yield "line__target_100_kb__414", get("/" + "a" * 100000), {414}
    yield "line__target_1_mb__414", get("/" + "a" * 1000000), {414}
    yield "line__no_target__refused", b"GET  HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED | {404}
    yield "line__asterisk__404", get("*"), {404}
    yield "line__absolute_form__404", get("http://x/v2"), {404}
    yield "line__authority__404", get("x:80"), {404}
    yield "line__dot_dot__404", get("/v2/../v2"), {404}
    yield "line__escaped_slash__404", get("/v2%2fhealth/live"), {404}
    yield "line__escaped_nul__404", get("/v2%00"), {404}
    yield "line__double_slash__404", get("//v2"), {404}
    yield "line__trailing_slash__404", get("/v2/"), {404}
    yield "line__upper_case_path__404", get("/V2"), {404}
    yield "line__fragment__404", get("/v2#x"), {404}
    yield "line__utf_8_path__404", get("/v2/\xc3\xa9"), {404}

    yield "method__post_to_metadata__405", post("/v2", b"{}"), {405}
    yield "method__get_classify__405", get("/classify"), {405}
    yield "method__put__405", b"PUT /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", {405}
    yield "method__delete__405", b"DELETE /v2 HTTP/1.1\r\nHost: x\r\n\r\n", {405}
    yield "method__trace__405", b"TRACE /v2 HTTP/1.1\r\nHost: x\r\n\r\n", {405}
    yield "method__connect__404", b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", {404}
    yield "method__unknown__405", b"BREW /v2 HTTP/1.1\r\nHost: x\r\n\r\n", {405}
    yield "method__lower_case__405", b"get /v2 HTTP/1.1\r\nHost: x\r\n\r\n", {405}
    yield "method__10_kb__refused", b"G" * 10000 + b" /v2 HTTP/1.1\r\nHost: x\r\n\r\n", REFUSED | {405, 414}

    yield "field__no_host__400", get("/v2", host=False), {400}
    yield "field__two_hosts__400", get("/v2", "Host: y"), {400}
    yield "field__no_colon__400", get("/v2", "nonsense"), {400}
    yield "field__space_before_colon__400", get("/v2", "X : y"), {400}
    yield "field__empty_name__not_seen", get("/v2", ": y"), {200, 400}
    yield "field__name_no_token__400", get("/v2", "X(y): z"), {400}
    yield "field__name_high_bytes__400", get("/v2", "X\xe9: z"), {400}
    yield "field__control_in_value__400", get("/v2", "X: a\x01b"), {400}
    yield "field__101__431", get("/v2", *["X-%d: y" % i for i in range(101)]), {431}
    yield "field__10000__431", get("/v2", *["X-%d: y" % i for i in range(10000)]), {431}
    yield "field__1_mb_value__431", get("/v2", "X: " + "a" * 1000000), {431}
    yield "field__1_mb_name__431", get("/v2", "a" * 1000000 + ": b"), {431}
    yield "field__empty_value__answered", get("/v2", "X:"), {200}
    yield "field__obs_text_value__answered", get("/v2", "X: \xff\xfe"), {200}

    yield "length__missing__411", post("/classify", length="none"), {411}
    yield "length__zero__400", post("/classify"), {400}
    yield "length__twice_same__400", post("/classify", jpeg, "Content-Length: %d" % n), {400}
    yield "length__twice_differing__400", post("/classify", jpeg, "Content-Length: 3"), {400}
    yield "length__list__400", post("/classify", jpeg, length="%d, %d" % (n, n)), {400}
    yield "length__negative__400", post("/classify", jpeg, length=-1), {400}
    yield "length__plus__400", post("/classify", jpeg, length="+%d" % n), {400}
    yield "length__hexadecimal__400", post("/classify", jpeg, length="0x10"), {400}
    yield "length__words__400", post("/classify", jpeg, length="many"), {400}
    yield "length__fraction__400", post("/classify", jpeg, length="5.0"), {400}
    yield "length__2_to_64__refused", post("/classify", jpeg, length=2 ** 64), {400, 413}
    yield "length__2_to_64_less_1__413", post("/classify", jpeg, length=2 ** 64 - 1), {400, 413}
    yield "length__2_to_63__413", post("/classify", jpeg, length=2 ** 63), {413}
    yield "length__30_digits__refused", post("/classify", jpeg, length="9" * 30), {400, 413}
    yield "length__64_mib_and_1__413", post("/classify", b"", length=(64 << 20) + 1), {413}
    yield "length__leading_zeros__answered", post("/classify", jpeg, length="000%d" % n), {200}
    yield "length__with_chunked__400", chunked("/classify", chunk + b"0\r\n\r\n", "Content-Length: %d" % n), {400}
    yield "length__before_chunked__400", post("/classify", jpeg, "Transfer-Encoding: chunked"), {400}

    yield "coding__chunked__answered", chunked("/classify", chunk + b"0\r\n\r\n"), {200}
    # libmicrohttpd 1.0 refuses them.
    yield "coding__chunk_extension__no_harm", chunked("/classify", b"%x;a=b\r\n%s\r\n0\r\n\r\n" % (n, jpeg)), {200, 400}
    yield "coding__upper_case_size__answered", chunked("/classify", b"%X\r\n%s\r\n0\r\n\r\n" % (n, jpeg)), {200}
    yield "coding__trailers__answered", chunked("/classify", chunk + b"0\r\nX: y\r\nZ: w\r\n\r\n"), {200}
    yield "coding__trailer_flood__refused", chunked("/classify", chunk + b"0\r\n" + b"X: y\r\n" * 20000 + b"\r\n"), REFUSED | {413, 431}
    # 501 is ours; libmicrohttpd 1.0 says 400 before we are asked.
    yield "coding__gzip__refused", chunked("/classify", chunk, "X: y").replace(b": chunked", b": gzip"), {400, 501}
    yield "coding__gzip_chunked__refused", chunked("/classify", chunk).replace(b": chunked", b": gzip, chunked"), {400, 501}
    yield "coding__identity__refused", chunked("/classify", chunk).replace(b": chunked", b": identity"), {400, 501}
    yield "coding__twice__400", chunked("/classify", chunk, "Transfer-Encoding: chunked"), {400}
    yield "coding__odd_spelling__refused", chunked("/classify", chunk).replace(b": chunked", b": xchunked"), {400, 501}
    yield "coding__content_gzip__415", post("/classify", jpeg, "Content-Encoding: gzip"), {415}
    yield "coding__content_identity__answered", post("/classify", jpeg, "Content-Encoding: identity"), {200}
    yield "chunk__size_no_number__400", chunked("/classify", b"zz\r\nabc\r\n0\r\n\r\n"), {400}
    yield "chunk__size_empty__400", chunked("/classify", b"\r\nabc\r\n0\r\n\r\n"), {400}
    yield "chunk__size_negative__400", chunked("/classify", b"-5\r\nabcde\r\n0\r\n\r\n"), {400}
    yield "chunk__size_prefixed__400", chunked("/classify", b"0x5\r\nabcde\r\n0\r\n\r\n"), {400}
    yield "chunk__size_2_to_64__refused", chunked("/classify", b"10000000000000000\r\nabc\r\n"), {400, 413}
    yield "chunk__size_100_digits__refused", chunked("/classify", b"f" * 100 + b"\r\nabc\r\n"), {400, 413}
    yield "chunk__size_100_kb__refused", chunked("/classify", b"0" * 100000 + b"\r\nabc\r\n"), {0, 400, 408, 413}
    yield "chunk__longer_than_said__400", chunked("/classify", b"3\r\nabcdef\r\n0\r\n\r\n"), {400}
    yield "chunk__70000_of_one_byte__413", chunked("/classify", b"1\r\na\r\n" * 70000 + b"0\r\n\r\n"), {413}
    yield "chunk__65_mib__413", chunked("/classify", (b"10000\r\n" + b"a" * 65536 + b"\r\n") * 1040 + b"0\r\n\r\n"), {413}

    yield "expect__continue__answered", post("/classify", jpeg, "Expect: 100-continue"), {200}
    yield "expect__continue_too_long__413", post("/classify", b"", "Expect: 100-continue", length=10 ** 9), {413}
    yield "upgrade__websocket__ignored", get("/v2", "Connection: Upgrade", "Upgrade: websocket"), {200}
    yield "range__any__ignored", get("/v2", "Range: bytes=0-1"), {200}
    yield "cookie__odd__ignored", get("/v2", "Cookie: =;;a=\"b;==,"), {200}

    yield "classify__jpeg__answered", post("/classify", jpeg), {200}
    yield "classify__k_1__answered", post("/classify?k=1", jpeg), {200}
    yield "classify__k_1000__answered", post("/classify?k=1000", jpeg), {200}
    yield "classify__k_0__400", post("/classify?k=0", jpeg), {400}
    yield "classify__k_1001__400", post("/classify?k=1001", jpeg), {400}
    yield "classify__k_negative__400", post("/classify?k=-1", jpeg), {400}
    yield "classify__k_plus__400", post("/classify?k=%2B5", jpeg), {400}
    yield "classify__k_word__400", post("/classify?k=all", jpeg), {400}
    yield "classify__k_empty__400", post("/classify?k=", jpeg), {400}
    yield "classify__k_2_to_64__400", post("/classify?k=18446744073709551617", jpeg), {400}
    yield "classify__text__400", post("/classify", b"no image"), {400}
    yield "classify__png__refused", post("/classify", b"\x89PNG\r\n\x1a\n" + b"\0" * 50), {400, 415}
    yield "classify__one_byte__400", post("/classify", b"\xff"), {400}
    yield "classify__start_only__400", post("/classify", b"\xff\xd8"), {400}
    yield "classify__half_a_jpeg__400", post("/classify", jpeg[:n // 2]), {400}
    yield "classify__header_of_a_jpeg__400", post("/classify", jpeg[:200]), {400}
    yield "classify__zeros__400", post("/classify", b"\0" * 1000), {400}
    yield "classify__65500_by_65500__413", post("/classify", huge_jpeg(jpeg)), {413}
    yield "classify__12_bit__415", post("/classify", deep_jpeg(jpeg)), {400, 415}


def frame(jpeg):
    """Where the frame header (SOF0 or SOF2) of a JPEG begins."""
    at = 2
    while jpeg[at + 1] not in (0xc0, 0xc2):
        at += 2 + int.from_bytes(jpeg[at + 2:at + 4], "big")
    return at


def huge_jpeg(jpeg):
    at = frame(jpeg)
    return jpeg[:at + 5] + (65500).to_bytes(2, "big") * 2 + jpeg[at + 9:]


def deep_jpeg(jpeg):
    at = frame(jpeg)
    return jpeg[:at + 4] + b"\x0c" + jpeg[at + 5:]
