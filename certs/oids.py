"""Every object identifier we know, in one table, each row naming the document it comes from.

    from certs import oids
    oids.SM2_WITH_SM3                 # "1.2.156.10197.1.501"
    oids.name(oids.SM2_WITH_SM3)      # "sm2-with-sm3"
    oids.TABLE["1.2.156.10197.1.501"].document

Add a row by assigning `_row(dotted, name, document)` to a constant; two rows with one OID or one name are refused.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OID:
    """One row: the dotted OID, our name for it, and the document that defines it."""

    dotted: str
    name: str
    document: str


TABLE: dict[str, OID] = {}
"""Dotted OID to row."""

_NAMES: dict[str, str] = {}


def _row(dotted: str, name: str, document: str) -> str:
    if dotted in TABLE or name in _NAMES:
        raise ValueError(f"two rows for {dotted} or {name}")
    TABLE[dotted] = OID(dotted, name, document)
    _NAMES[name] = dotted
    return dotted


def name(dotted: str) -> str:
    """Return our name for `dotted`, or `dotted` itself where we have none."""
    row = TABLE.get(dotted)
    return row.name if row else dotted


def dotted(name: str) -> str:
    """Return the OID of `name`; KeyError where there is none (a programming error, not input)."""
    return _NAMES[name]


# Digests -------------------------------------------------------------------------------------------------------------
SHA1 = _row("1.3.14.3.2.26", "sha1", "RFC 3279 2.2.1")
RIPEMD160 = _row("1.3.36.3.2.1", "ripemd160", "ISO/IEC 10118-3")
SHA224 = _row("2.16.840.1.101.3.4.2.4", "sha224", "RFC 5754 2.1")
SHA256 = _row("2.16.840.1.101.3.4.2.1", "sha256", "RFC 5754 2.2")
SHA384 = _row("2.16.840.1.101.3.4.2.2", "sha384", "RFC 5754 2.3")
SHA512 = _row("2.16.840.1.101.3.4.2.3", "sha512", "RFC 5754 2.4")
SHA3_224 = _row("2.16.840.1.101.3.4.2.7", "sha3-224", "RFC 8702 2; NIST CSOR")
SHA3_256 = _row("2.16.840.1.101.3.4.2.8", "sha3-256", "NIST CSOR")
SHA3_384 = _row("2.16.840.1.101.3.4.2.9", "sha3-384", "NIST CSOR")
SHA3_512 = _row("2.16.840.1.101.3.4.2.10", "sha3-512", "NIST CSOR")
SHAKE256 = _row("2.16.840.1.101.3.4.2.12", "shake256", "RFC 8702 2")
SHAKE256_LEN = _row("2.16.840.1.101.3.4.2.18", "shake256-len", "RFC 8419 3.1; NIST CSOR")
SM3 = _row("1.2.156.10197.1.401", "sm3", "GB/T 33560-2017 Table A.1")
STREEBOG256 = _row("1.2.643.7.1.1.2.2", "streebog256", "RFC 9215 2")
STREEBOG512 = _row("1.2.643.7.1.1.2.3", "streebog512", "RFC 9215 2")
GOST94 = _row("1.2.643.2.2.9", "gost94", "RFC 4490 2.1")
MGF1 = _row("1.2.840.113549.1.1.8", "mgf1", "RFC 8017 A.2.1")

# RSA -----------------------------------------------------------------------------------------------------------------
RSA = _row("1.2.840.113549.1.1.1", "rsa-encryption", "RFC 8017 A.1")
RSA_PSS = _row("1.2.840.113549.1.1.10", "rsassa-pss", "RFC 8017 A.2.3")
RSA_OAEP = _row("1.2.840.113549.1.1.7", "rsaes-oaep", "RFC 8017 A.2.1")
P_SPECIFIED = _row("1.2.840.113549.1.1.9", "p-specified", "RFC 8017 A.2.1")
SHA1_WITH_RSA = _row("1.2.840.113549.1.1.5", "sha1-with-rsa", "RFC 8017 A.2.4")
SHA224_WITH_RSA = _row("1.2.840.113549.1.1.14", "sha224-with-rsa", "RFC 8017 A.2.4")
SHA256_WITH_RSA = _row("1.2.840.113549.1.1.11", "sha256-with-rsa", "RFC 8017 A.2.4")
SHA384_WITH_RSA = _row("1.2.840.113549.1.1.12", "sha384-with-rsa", "RFC 8017 A.2.4")
SHA512_WITH_RSA = _row("1.2.840.113549.1.1.13", "sha512-with-rsa", "RFC 8017 A.2.4")
SHA3_224_WITH_RSA = _row("2.16.840.1.101.3.4.3.13", "sha3-224-with-rsa", "NIST CSOR")
SHA3_256_WITH_RSA = _row("2.16.840.1.101.3.4.3.14", "sha3-256-with-rsa", "NIST CSOR")
SHA3_384_WITH_RSA = _row("2.16.840.1.101.3.4.3.15", "sha3-384-with-rsa", "NIST CSOR")
SHA3_512_WITH_RSA = _row("2.16.840.1.101.3.4.3.16", "sha3-512-with-rsa", "NIST CSOR")

# Elliptic curves -----------------------------------------------------------------------------------------------------
EC = _row("1.2.840.10045.2.1", "ec-public-key", "RFC 5480 2.1.1")
P224 = _row("1.3.132.0.33", "secp224r1", "RFC 5480 2.1.1.1")
P256 = _row("1.2.840.10045.3.1.7", "secp256r1", "RFC 5480 2.1.1.1")
P384 = _row("1.3.132.0.34", "secp384r1", "RFC 5480 2.1.1.1")
P521 = _row("1.3.132.0.35", "secp521r1", "RFC 5480 2.1.1.1")
BP256 = _row("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", "RFC 5639 4")
BP384 = _row("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", "RFC 5639 4")
BP512 = _row("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", "RFC 5639 4")
ECDSA_SHA1 = _row("1.2.840.10045.4.1", "ecdsa-with-sha1", "RFC 5758 3.2")
ECDSA_SHA224 = _row("1.2.840.10045.4.3.1", "ecdsa-with-sha224", "RFC 5758 3.2")
ECDSA_SHA256 = _row("1.2.840.10045.4.3.2", "ecdsa-with-sha256", "RFC 5758 3.2")
ECDSA_SHA384 = _row("1.2.840.10045.4.3.3", "ecdsa-with-sha384", "RFC 5758 3.2")
ECDSA_SHA512 = _row("1.2.840.10045.4.3.4", "ecdsa-with-sha512", "RFC 5758 3.2")
DSA = _row("1.2.840.10040.4.1", "dsa", "RFC 3279 2.3.2")
DSA_SHA1 = _row("1.2.840.10040.4.3", "dsa-sha1", "RFC 3279 2.2.2")
DSA_SHA224 = _row("2.16.840.1.101.3.4.3.1", "dsa-sha224", "RFC 5758 3.1")
DSA_SHA256 = _row("2.16.840.1.101.3.4.3.2", "dsa-sha256", "RFC 5758 3.1")
PLAIN_ECDSA_SHA1 = _row("0.4.0.127.0.7.1.1.4.1.1", "ecdsa-plain-sha1", "BSI TR-03111 5.2.1.1")
PLAIN_ECDSA_SHA224 = _row("0.4.0.127.0.7.1.1.4.1.2", "ecdsa-plain-sha224", "BSI TR-03111 5.2.1.1")
PLAIN_ECDSA_SHA256 = _row("0.4.0.127.0.7.1.1.4.1.3", "ecdsa-plain-sha256", "BSI TR-03111 5.2.1.1")
PLAIN_ECDSA_SHA384 = _row("0.4.0.127.0.7.1.1.4.1.4", "ecdsa-plain-sha384", "BSI TR-03111 5.2.1.1")
PLAIN_ECDSA_SHA512 = _row("0.4.0.127.0.7.1.1.4.1.5", "ecdsa-plain-sha512", "BSI TR-03111 5.2.1.1")
ECDSA_SHA3_224 = _row("2.16.840.1.101.3.4.3.9", "ecdsa-with-sha3-224", "NIST CSOR")
ECDSA_SHA3_256 = _row("2.16.840.1.101.3.4.3.10", "ecdsa-with-sha3-256", "NIST CSOR")
ECDSA_SHA3_384 = _row("2.16.840.1.101.3.4.3.11", "ecdsa-with-sha3-384", "NIST CSOR")
ECDSA_SHA3_512 = _row("2.16.840.1.101.3.4.3.12", "ecdsa-with-sha3-512", "NIST CSOR")
DSA_SHA384 = _row("2.16.840.1.101.3.4.3.3", "dsa-sha384", "NIST CSOR")
DSA_SHA512 = _row("2.16.840.1.101.3.4.3.4", "dsa-sha512", "NIST CSOR")
ECDH_SHA1 = _row("1.3.133.16.840.63.0.2", "ecdh-std-x963-sha1", "RFC 5753 7.1.4")
ECDH_SHA224 = _row("1.3.132.1.11.0", "ecdh-std-x963-sha224", "RFC 5753 7.1.4")
ECDH_SHA256 = _row("1.3.132.1.11.1", "ecdh-std-x963-sha256", "RFC 5753 7.1.4")
ECDH_SHA384 = _row("1.3.132.1.11.2", "ecdh-std-x963-sha384", "RFC 5753 7.1.4")
ECDH_SHA512 = _row("1.3.132.1.11.3", "ecdh-std-x963-sha512", "RFC 5753 7.1.4")
ECDH_HKDF_SHA256 = _row("1.2.840.113549.1.9.16.3.19", "ecdh-std-hkdf-sha256", "RFC 8418 2.2")
ECDH_HKDF_SHA384 = _row("1.2.840.113549.1.9.16.3.20", "ecdh-std-hkdf-sha384", "RFC 8418 2.2")
ECDH_HKDF_SHA512 = _row("1.2.840.113549.1.9.16.3.21", "ecdh-std-hkdf-sha512", "RFC 8418 2.2")
X25519 = _row("1.3.101.110", "x25519", "RFC 8410 3")
X448 = _row("1.3.101.111", "x448", "RFC 8410 3")
ED25519 = _row("1.3.101.112", "ed25519", "RFC 8410 3")
ED448 = _row("1.3.101.113", "ed448", "RFC 8410 3")

# ML-DSA --------------------------------------------------------------------------------------------------------------
ML_DSA_44 = _row("2.16.840.1.101.3.4.3.17", "ml-dsa-44", "RFC 9881 2")
ML_DSA_65 = _row("2.16.840.1.101.3.4.3.18", "ml-dsa-65", "RFC 9881 2")
ML_DSA_87 = _row("2.16.840.1.101.3.4.3.19", "ml-dsa-87", "RFC 9881 2")

# ML-KEM --------------------------------------------------------------------------------------------------------------
ML_KEM_512 = _row("2.16.840.1.101.3.4.4.1", "ml-kem-512", "RFC 9935 3")
ML_KEM_768 = _row("2.16.840.1.101.3.4.4.2", "ml-kem-768", "RFC 9935 3")
ML_KEM_1024 = _row("2.16.840.1.101.3.4.4.3", "ml-kem-1024", "RFC 9935 3")
KEM_RECIPIENT = _row("1.2.840.113549.1.9.16.13.3", "ori-kem", "RFC 9629 3")
HKDF_SHA256 = _row("1.2.840.113549.1.9.16.3.28", "hkdf-with-sha256", "RFC 8619 2")
HKDF_SHA384 = _row("1.2.840.113549.1.9.16.3.29", "hkdf-with-sha384", "RFC 8619 2")
HKDF_SHA512 = _row("1.2.840.113549.1.9.16.3.30", "hkdf-with-sha512", "RFC 8619 2")

# SM2, SM3, SM4 -------------------------------------------------------------------------------------------------------
SM2 = _row("1.2.156.10197.1.301", "sm2", "GB/T 33560-2017 Table A.1")
SM2_SIGNATURE = _row("1.2.156.10197.1.301.1", "sm2-signature", "GB/T 33560-2017 Table A.1")
SM2_WITH_SM3 = _row("1.2.156.10197.1.501", "sm2-with-sm3", "GB/T 33560-2017 Table A.1")
SM4 = _row("1.2.156.10197.1.104", "sm4", "GB/T 33560-2017 Table A.1")
SM4_ECB = _row("1.2.156.10197.1.104.1", "sm4-ecb", "GB/T 33560-2017 Table A.1")
SM4_CBC = _row("1.2.156.10197.1.104.2", "sm4-cbc", "GB/T 33560-2017 Table A.1")
SM4_GCM = _row("1.2.156.10197.1.104.8", "sm4-gcm", "GM/T 0006-2023; as OpenSSL and Chinese libraries write it")
SM2_ENCRYPTION = _row("1.2.156.10197.1.301.3", "sm2-encryption", "GB/T 33560-2017 Table A.1")
HMAC_SM3 = _row("1.2.156.10197.1.401.2", "hmac-sm3", "GB/T 33560-2017 Table A.1")
GM_DATA = _row("1.2.156.10197.6.1.4.2.1", "gm-data", "GB/T 35275-2017")
GM_SIGNED_DATA = _row("1.2.156.10197.6.1.4.2.2", "gm-signed-data", "GB/T 35275-2017")
GM_ENVELOPED_DATA = _row("1.2.156.10197.6.1.4.2.3", "gm-enveloped-data", "GB/T 35275-2017")
GM_SIGNED_AND_ENVELOPED_DATA = _row("1.2.156.10197.6.1.4.2.4", "gm-signed-and-enveloped-data", "GB/T 35275-2017")

# GOST R 34.10 --------------------------------------------------------------------------------------------------------
GOST2012_256 = _row("1.2.643.7.1.1.1.1", "gost2012-256-key", "RFC 9215 3")
GOST2012_512 = _row("1.2.643.7.1.1.1.2", "gost2012-512-key", "RFC 9215 3")
GOST2012_256_SIGNATURE = _row("1.2.643.7.1.1.3.2", "gost2012-256-with-streebog256", "RFC 9215 2")
GOST2012_512_SIGNATURE = _row("1.2.643.7.1.1.3.3", "gost2012-512-with-streebog512", "RFC 9215 2")
HMAC_STREEBOG256 = _row("1.2.643.7.1.1.4.1", "hmac-streebog256", "RFC 9337")
HMAC_STREEBOG512 = _row("1.2.643.7.1.1.4.2", "hmac-streebog512", "RFC 9337")
GOST2001 = _row("1.2.643.2.2.19", "gost2001-key", "RFC 4491 2.3.2")
GOST2001_SIGNATURE = _row("1.2.643.2.2.3", "gost2001-with-gost94", "RFC 4491 2.2.2")
GOST94_CRYPTOPRO = _row("1.2.643.2.2.30.1", "gost94-cryptopro-parameters", "RFC 4357 11.2")
CRYPTOPRO_TEST = _row("1.2.643.2.2.35.0", "CryptoPro-Test", "RFC 4357 11.4")
CRYPTOPRO_A = _row("1.2.643.2.2.35.1", "CryptoPro-A", "RFC 4357 11.4")
CRYPTOPRO_B = _row("1.2.643.2.2.35.2", "CryptoPro-B", "RFC 4357 11.4")
CRYPTOPRO_C = _row("1.2.643.2.2.35.3", "CryptoPro-C", "RFC 4357 11.4")
CRYPTOPRO_XCHA = _row("1.2.643.2.2.36.0", "CryptoPro-XchA", "RFC 4357 11.4")
CRYPTOPRO_XCHB = _row("1.2.643.2.2.36.1", "CryptoPro-XchB", "RFC 4357 11.4")
TC26_256_A = _row("1.2.643.7.1.2.1.1.1", "TC26-256-A", "RFC 9215 5.2; R 1323565.1.024-2019")
TC26_256_B = _row("1.2.643.7.1.2.1.1.2", "TC26-256-B", "RFC 9215 5.2; R 1323565.1.024-2019")
TC26_256_C = _row("1.2.643.7.1.2.1.1.3", "TC26-256-C", "RFC 9215 5.2; R 1323565.1.024-2019")
TC26_256_D = _row("1.2.643.7.1.2.1.1.4", "TC26-256-D", "RFC 9215 5.2; R 1323565.1.024-2019")
TC26_512_TEST = _row("1.2.643.7.1.2.1.2.0", "TC26-512-Test", "RFC 9215 5.2")
TC26_512_A = _row("1.2.643.7.1.2.1.2.1", "TC26-512-A", "RFC 7836 A.2")
TC26_512_B = _row("1.2.643.7.1.2.1.2.2", "TC26-512-B", "RFC 7836 A.2")
TC26_512_C = _row("1.2.643.7.1.2.1.2.3", "TC26-512-C", "RFC 7836 A.2")

# GOST encryption -----------------------------------------------------------------------------------------------------
MAGMA_ACPKM = _row("1.2.643.7.1.1.5.1.1", "magma-ctr-acpkm", "R 1323565.1.025-2019")
MAGMA_ACPKM_OMAC = _row("1.2.643.7.1.1.5.1.2", "magma-ctr-acpkm-omac", "R 1323565.1.025-2019")
KUZNYECHIK_ACPKM = _row("1.2.643.7.1.1.5.2.1", "kuznyechik-ctr-acpkm", "R 1323565.1.025-2019")
KUZNYECHIK_ACPKM_OMAC = _row("1.2.643.7.1.1.5.2.2", "kuznyechik-ctr-acpkm-omac", "R 1323565.1.025-2019")
VKO_256 = _row("1.2.643.7.1.1.6.1", "vko-gost2012-256", "R 1323565.1.025-2019")
VKO_512 = _row("1.2.643.7.1.1.6.2", "vko-gost2012-512", "R 1323565.1.025-2019")
MAGMA_KEXP15 = _row("1.2.643.7.1.1.7.1.1", "magma-kexp15", "R 1323565.1.025-2019")
KUZNYECHIK_KEXP15 = _row("1.2.643.7.1.1.7.2.1", "kuznyechik-kexp15", "R 1323565.1.025-2019")
OMAC_ATTRIBUTE = _row("1.2.643.7.1.0.6.1.1", "cms-mac", "R 1323565.1.025-2019")
GOST89 = _row("1.2.643.2.2.21", "gost89-cfb", "RFC 4490 5.1")
GOST89_CRYPTOPRO_A = _row("1.2.643.2.2.31.1", "gost89-CryptoPro-A", "RFC 4357 11.2")
GOST89_TC26_Z = _row("1.2.643.7.1.2.5.1.1", "gost89-TC26-Z", "RFC 7836 C")

PDF_MAC = _row("1.0.32004.1.2", "pdf-mac-data", "ISO/TS 32004:2024")

# Password-based encryption of keys -----------------------------------------------------------------------------------
PBES2 = _row("1.2.840.113549.1.5.13", "pbes2", "RFC 8018 A.4")
PBKDF2 = _row("1.2.840.113549.1.5.12", "pbkdf2", "RFC 8018 A.2")
SCRYPT = _row("1.3.6.1.4.1.11591.4.11", "scrypt", "RFC 7914 7.1")
HMAC_SHA1 = _row("1.2.840.113549.2.7", "hmac-sha1", "RFC 8018 B.1.1")
HMAC_SHA256 = _row("1.2.840.113549.2.9", "hmac-sha256", "RFC 8018 B.1.2")
HMAC_SHA384 = _row("1.2.840.113549.2.10", "hmac-sha384", "RFC 8018 B.1.2")
HMAC_SHA512 = _row("1.2.840.113549.2.11", "hmac-sha512", "RFC 8018 B.1.2")
AES128_CBC = _row("2.16.840.1.101.3.4.1.2", "aes128-cbc", "RFC 3565 4.1")
AES192_CBC = _row("2.16.840.1.101.3.4.1.22", "aes192-cbc", "RFC 3565 4.1")
DES_EDE3_CBC = _row("1.2.840.113549.3.7", "des-ede3-cbc", "RFC 8018 B.2.2")
AES256_CBC = _row("2.16.840.1.101.3.4.1.42", "aes256-cbc", "RFC 3565 4.1")
AES128_GCM = _row("2.16.840.1.101.3.4.1.6", "aes128-gcm", "RFC 5084 3.2")
AES192_GCM = _row("2.16.840.1.101.3.4.1.26", "aes192-gcm", "RFC 5084 3.2")
AES256_GCM = _row("2.16.840.1.101.3.4.1.46", "aes256-gcm", "RFC 5084 3.2")
AES128_WRAP = _row("2.16.840.1.101.3.4.1.5", "aes128-wrap", "RFC 3565 4.2")
AES192_WRAP = _row("2.16.840.1.101.3.4.1.25", "aes192-wrap", "RFC 3565 4.2")
AES256_WRAP = _row("2.16.840.1.101.3.4.1.45", "aes256-wrap", "RFC 3565 4.2")

# Names of people and organisations -----------------------------------------------------------------------------------
INN = _row("1.2.643.3.131.1.1", "inn", "RFC 9215 A; order of the FSB no. 795")
INNLE = _row("1.2.643.100.4", "innle", "order of the FSB no. 31 of 2021-01-29")
OGRN = _row("1.2.643.100.1", "ogrn", "order of the FSB no. 795")
OGRNIP = _row("1.2.643.100.5", "ogrnip", "order of the FSB no. 795")
SNILS = _row("1.2.643.100.3", "snils", "order of the FSB no. 795")
COMMON_NAME = _row("2.5.4.3", "common-name", "X.520 6.2.2")
SURNAME = _row("2.5.4.4", "surname", "X.520 6.2.3")
SERIAL_NUMBER = _row("2.5.4.5", "serial-number", "X.520 6.2.9")
COUNTRY = _row("2.5.4.6", "country", "X.520 6.3.1")
LOCALITY = _row("2.5.4.7", "locality", "X.520 6.3.2")
STATE = _row("2.5.4.8", "state-or-province", "X.520 6.3.3")
STREET = _row("2.5.4.9", "street", "X.520 6.3.4")
ORGANISATION = _row("2.5.4.10", "organisation", "X.520 6.4.1")
ORGANISATIONAL_UNIT = _row("2.5.4.11", "organisational-unit", "X.520 6.4.2")
TITLE = _row("2.5.4.12", "title", "X.520 6.4.3")
GIVEN_NAME = _row("2.5.4.42", "given-name", "X.520 6.2.4")
ORGANISATION_IDENTIFIER = _row("2.5.4.97", "organisation-identifier", "X.520 6.4.4; ETSI EN 319 412-1 5.1.4")
EMAIL_ADDRESS = _row("1.2.840.113549.1.9.1", "email-address", "RFC 2985 5.2.1")
USER_ID = _row("0.9.2342.19200300.100.1.1", "user-id", "RFC 4519 2.39")
DOMAIN_COMPONENT = _row("0.9.2342.19200300.100.1.25", "domain-component", "RFC 4519 2.4")
SHECA_USCC = _row("1.2.156.112570.11.210", "sheca-unified-social-credit-code", "SHECA, certificates in the field")
GM_USCC = _row("1.2.156.10260.4.4", "unified-social-credit-code", "GM/T 0015-2023")
GM_IDENTITY = _row("1.2.156.10260.4.1.1", "identity-code", "GM/T 0015-2012 5.2.3.3; certificates in the field")
GM_ORGANISATION_CODE = _row("1.2.156.10260.4.1.4", "organisation-code", "GM/T 0015-2012; certificates in the field")
POSTAL_CODE = _row("2.5.4.17", "postal-code", "X.520 6.6.2")
PSEUDONYM = _row("2.5.4.65", "pseudonym", "X.520 6.2.10; ETSI EN 319 412-2 4.2.4")

# Certificates and CRLs -----------------------------------------------------------------------------------------------
SUBJECT_KEY_IDENTIFIER = _row("2.5.29.14", "subject-key-identifier", "RFC 5280 4.2.1.2")
KEY_USAGE = _row("2.5.29.15", "key-usage", "RFC 5280 4.2.1.3")
PRIVATE_KEY_USAGE_PERIOD = _row("2.5.29.16", "private-key-usage-period", "RFC 3280 4.2.1.4")
SUBJECT_ALT_NAME = _row("2.5.29.17", "subject-alternative-name", "RFC 5280 4.2.1.6")
ISSUER_ALT_NAME = _row("2.5.29.18", "issuer-alternative-name", "RFC 5280 4.2.1.7")
BASIC_CONSTRAINTS = _row("2.5.29.19", "basic-constraints", "RFC 5280 4.2.1.9")
CRL_NUMBER = _row("2.5.29.20", "crl-number", "RFC 5280 5.2.3")
CRL_REASON = _row("2.5.29.21", "crl-reason", "RFC 5280 5.3.1")
INVALIDITY_DATE = _row("2.5.29.24", "invalidity-date", "RFC 5280 5.3.2")
DELTA_CRL_INDICATOR = _row("2.5.29.27", "delta-crl-indicator", "RFC 5280 5.2.4")
ISSUING_DISTRIBUTION_POINT = _row("2.5.29.28", "issuing-distribution-point", "RFC 5280 5.2.5")
CERTIFICATE_ISSUER = _row("2.5.29.29", "certificate-issuer", "RFC 5280 5.3.3")
NAME_CONSTRAINTS = _row("2.5.29.30", "name-constraints", "RFC 5280 4.2.1.10")
CRL_DISTRIBUTION_POINTS = _row("2.5.29.31", "crl-distribution-points", "RFC 5280 4.2.1.13")
CERTIFICATE_POLICIES = _row("2.5.29.32", "certificate-policies", "RFC 5280 4.2.1.4")
ANY_POLICY = _row("2.5.29.32.0", "any-policy", "RFC 5280 4.2.1.4")
POLICY_MAPPINGS = _row("2.5.29.33", "policy-mappings", "RFC 5280 4.2.1.5")
AUTHORITY_KEY_IDENTIFIER = _row("2.5.29.35", "authority-key-identifier", "RFC 5280 4.2.1.1")
POLICY_CONSTRAINTS = _row("2.5.29.36", "policy-constraints", "RFC 5280 4.2.1.11")
EXTENDED_KEY_USAGE = _row("2.5.29.37", "extended-key-usage", "RFC 5280 4.2.1.12")
FRESHEST_CRL = _row("2.5.29.46", "freshest-crl", "RFC 5280 4.2.1.15")
INHIBIT_ANY_POLICY = _row("2.5.29.54", "inhibit-any-policy", "RFC 5280 4.2.1.14")
EXPIRED_CERTS_ON_CRL = _row("2.5.29.60", "expired-certs-on-crl", "X.509 (2019) 9.5.2.8")
AUTHORITY_INFO_ACCESS = _row("1.3.6.1.5.5.7.1.1", "authority-info-access", "RFC 5280 4.2.2.1")
QC_STATEMENTS = _row("1.3.6.1.5.5.7.1.3", "qc-statements", "RFC 3739 3.2.6")
CA_ISSUERS = _row("1.3.6.1.5.5.7.48.2", "ca-issuers", "RFC 5280 4.2.2.1")
OCSP = _row("1.3.6.1.5.5.7.48.1", "ocsp", "RFC 5280 4.2.2.1")
NO_REV_AVAIL = _row("2.5.29.56", "no-revocation-available", "RFC 9608 2")
VALASSURED_ST_CERTS = _row("0.4.0.194121.2.1", "validity-assured-short-term", "ETSI EN 319 412-1 5.2")
OCSP_NOCHECK = _row("1.3.6.1.5.5.7.48.1.5", "ocsp-nocheck", "RFC 6960 4.2.2.2.1")
OCSP_BASIC = _row("1.3.6.1.5.5.7.48.1.1", "ocsp-basic", "RFC 6960 4.2.1")
OCSP_NONCE = _row("1.3.6.1.5.5.7.48.1.2", "ocsp-nonce", "RFC 9654 2")
OCSP_ARCHIVE_CUTOFF = _row("1.3.6.1.5.5.7.48.1.6", "ocsp-archive-cutoff", "RFC 6960 4.4.4")
SUBJECT_SIGN_TOOL = _row("1.2.643.100.111", "subject-sign-tool", "RFC 9215 5.1")
ISSUER_SIGN_TOOL = _row("1.2.643.100.112", "issuer-sign-tool", "RFC 9215 5.1")
IDENTIFICATION_KIND = _row("1.2.643.100.114", "identification-kind", "RFC 9215 5.1")
ANY_PURPOSE = _row("2.5.29.37.0", "any-extended-key-usage", "RFC 5280 4.2.1.12")
SERVER_AUTH = _row("1.3.6.1.5.5.7.3.1", "server-auth", "RFC 5280 4.2.1.12")
CLIENT_AUTH = _row("1.3.6.1.5.5.7.3.2", "client-auth", "RFC 5280 4.2.1.12")
CODE_SIGNING = _row("1.3.6.1.5.5.7.3.3", "code-signing", "RFC 5280 4.2.1.12")
EMAIL_PROTECTION = _row("1.3.6.1.5.5.7.3.4", "email-protection", "RFC 5280 4.2.1.12")
TIME_STAMPING = _row("1.3.6.1.5.5.7.3.8", "time-stamping", "RFC 3161 2.3")
OCSP_SIGNING = _row("1.3.6.1.5.5.7.3.9", "ocsp-signing", "RFC 6960 4.2.2.2")
DVCS_SIGNING = _row("1.3.6.1.5.5.7.3.10", "dvcs-signing", "RFC 3029 9")
DOCUMENT_SIGNING = _row("1.3.6.1.5.5.7.3.36", "document-signing", "RFC 9336 3.1")
AUDIT_SIGNING = _row("2.25.187737200135929185001846442526867310959", "audit-signing", "ours: certs/audit/checkpoint.py")

# Electronic seals ----------------------------------------------------------------------------------------------------
SEAL_ATTRIBUTE = _row("2.25.8289830464594816329227645021431922938", "electronic-seal", "ours: docs/seals.md")
SEAL_FILING_NUMBER = _row("2.25.139364558001902063002261882760019266252", "seal-filing-number", "ours: docs/seals.md")

# CMS and time-stamps -------------------------------------------------------------------------------------------------
DATA = _row("1.2.840.113549.1.7.1", "data", "RFC 5652 4")
SIGNED_DATA = _row("1.2.840.113549.1.7.2", "signed-data", "RFC 5652 5.1")
ENVELOPED_DATA = _row("1.2.840.113549.1.7.3", "enveloped-data", "RFC 5652 6.1")
AUTH_ENVELOPED_DATA = _row("1.2.840.113549.1.9.16.1.23", "auth-enveloped-data", "RFC 5083 2.1")
CONTENT_TYPE = _row("1.2.840.113549.1.9.3", "content-type", "RFC 5652 11.1")
MESSAGE_DIGEST = _row("1.2.840.113549.1.9.4", "message-digest", "RFC 5652 11.2")
SIGNING_TIME = _row("1.2.840.113549.1.9.5", "signing-time", "RFC 5652 11.3")
SIGNING_CERTIFICATE = _row("1.2.840.113549.1.9.16.2.12", "signing-certificate", "RFC 2634 5.4")
SIGNING_CERTIFICATE_V2 = _row("1.2.840.113549.1.9.16.2.47", "signing-certificate-v2", "RFC 5035 3")
TIME_STAMP_TOKEN = _row("1.2.840.113549.1.9.16.2.14", "time-stamp-token", "RFC 3161 A; ETSI EN 319 122-1 5.3")
COMMITMENT_TYPE = _row("1.2.840.113549.1.9.16.2.16", "commitment-type-indication", "ETSI EN 319 122-1 5.2.3")
SIGNATURE_POLICY = _row("1.2.840.113549.1.9.16.2.15", "signature-policy-identifier", "ETSI EN 319 122-1 5.2.9")
CONTENT_TIME_STAMP = _row("1.2.840.113549.1.9.16.2.20", "content-time-stamp", "ETSI EN 319 122-1 5.2.8")
COMPLETE_CERTIFICATE_REFERENCES = _row(
    "1.2.840.113549.1.9.16.2.21", "complete-certificate-references", "RFC 5126 6.2.1"
)
COMPLETE_REVOCATION_REFERENCES = _row("1.2.840.113549.1.9.16.2.22", "complete-revocation-references", "RFC 5126 6.2.2")
CADES_C_TIME_STAMP = _row("1.2.840.113549.1.9.16.2.25", "CAdES-C-time-stamp", "RFC 5126 6.3.5")
REFERENCES_TIME_STAMP = _row("1.2.840.113549.1.9.16.2.26", "time-stamped-certs-crls-references", "RFC 5126 6.3.6")
ARCHIVE_TIME_STAMP = _row("1.2.840.113549.1.9.16.2.27", "archive-time-stamp", "RFC 3126 C.3.12")
ARCHIVE_TIME_STAMP_V2 = _row("1.2.840.113549.1.9.16.2.48", "archive-time-stamp-v2", "RFC 5126 6.4.1")
ARCHIVE_TIME_STAMP_V3 = _row("0.4.0.1733.2.4", "archive-time-stamp-v3", "ETSI EN 319 122-1 5.5.3")
ATS_HASH_INDEX = _row("0.4.0.1733.2.5", "ats-hash-index", "ETSI TS 101 733 6.4.2")
ATS_HASH_INDEX_V3 = _row("0.4.0.19122.1.5", "ats-hash-index-v3", "ETSI EN 319 122-1 5.5.2")
COUNTERSIGNATURE = _row("1.2.840.113549.1.9.6", "countersignature", "RFC 5652 11.4")
TST_INFO = _row("1.2.840.113549.1.9.16.1.4", "tst-info", "RFC 3161 2.4.2")

# Certificate requests ------------------------------------------------------------------------------------------------
STATEMENT_OF_POSSESSION = _row("1.3.6.1.4.1.22112.2.1", "statement-of-possession", "RFC 9883 3")
EXTENSION_REQUEST = _row("1.2.840.113549.1.9.14", "extension-request", "RFC 2985 5.4.2")
MS_EXTENSION_REQUEST = _row("1.3.6.1.4.1.311.2.1.14", "ms-extension-request", "Microsoft, certificate enrolment")
CHALLENGE_PASSWORD = _row("1.2.840.113549.1.9.7", "challenge-password", "RFC 2985 5.4.1")

# Russian signature tools: classes of protection ----------------------------------------------------------------------
CLASS_KC1 = _row("1.2.643.100.113.1", "class-kc1", "RFC 9215 5.2")
CLASS_KC2 = _row("1.2.643.100.113.2", "class-kc2", "RFC 9215 5.2")
CLASS_KC3 = _row("1.2.643.100.113.3", "class-kc3", "RFC 9215 5.2")
