/*
 * Certificates of an authority of the simulator's own, for a hundred years: a seed has to find the same ones everywhere.
 * They protect nothing.
 */
#include "identities.h"

const char authority[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBkzCCATigAwIBAgIBATAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRzaW11bGF0\n"
    "aW9uIGF1dGhvcml0eTAgFw0yNjExMjIwMjA4NTlaGA8yMTI2MTAyOTAyMDg1OVow\n"
    "HzEdMBsGA1UEAwwUc2ltdWxhdGlvbiBhdXRob3JpdHkwWTATBgcqhkjOPQIBBggq\n"
    "hkjOPQMBBwNCAARjiQBiJnn7tqhKg0ZH6BELrvkIPFe7xr6Fdp2bdQ4es0KIxFcp\n"
    "3FyvwRNyiM/bwAXgwxBJYluqx3x0Fei6DbTOo2MwYTAdBgNVHQ4EFgQUZxbKhlUv\n"
    "u118WpWChGW0w3FyfGEwHwYDVR0jBBgwFoAUZxbKhlUvu118WpWChGW0w3FyfGEw\n"
    "DwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZIzj0EAwIDSQAw\n"
    "RgIhAMKL2jHriGtNChLKJirp3PJ7ZnMMpODJp6fnHGhuhReKAiEAsvJ9GzgdYAK1\n"
    "pGwrz1p8kZ9U3rqQMY2mJHa20BAi7XQ=\n"
    "-----END CERTIFICATE-----\n";

const char p256_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBvjCCAWSgAwIBAgIBAjAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRzaW11bGF0\n"
    "aW9uIGF1dGhvcml0eTAgFw0yNjExMjIwMjA4NTlaGA8yMTI2MTAyOTAyMDg1OVow\n"
    "FDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
    "1uD5ZXHPB+wDXt6IvT0+X+HyQl6f4jdbbc+vrKWmC43PH6sv6cKjeYBKgN10S613\n"
    "sur5TLp5gr3QBaAbQTaBsaOBmTCBljAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQE\n"
    "AwIHgDATBgNVHSUEDDAKBggrBgEFBQcDATAhBgNVHREEGjAYgglsb2NhbGhvc3SC\n"
    "C3NpbS5leGFtcGxlMB0GA1UdDgQWBBQbz5rXqCCWYFLrSjWlPlXQcFnc0TAfBgNV\n"
    "HSMEGDAWgBRnFsqGVS+7XXxalYKEZbTDcXJ8YTAKBggqhkjOPQQDAgNIADBFAiAs\n"
    "Hm6AN74lKZmSIeBOI+jRUkef3NwWv0oJ20gnja06cAIhAPh8GGW+hNWIXuO10hW1\n"
    "bpIe1AbE4zcwjGJk3SxMGoHw\n"
    "-----END CERTIFICATE-----\n";

const char p256_key[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIHbLeYccQaH5/f+yxY+X+m66pJIAusbrghF8EpS874atoAoGCCqGSM49\n"
    "AwEHoUQDQgAE1uD5ZXHPB+wDXt6IvT0+X+HyQl6f4jdbbc+vrKWmC43PH6sv6cKj\n"
    "eYBKgN10S613sur5TLp5gr3QBaAbQTaBsQ==\n"
    "-----END EC PRIVATE KEY-----\n";

const char ed25519_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBkDCCATWgAwIBAgIBAzAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRzaW11bGF0\n"
    "aW9uIGF1dGhvcml0eTAgFw0yNjExMjIwMjA4NTlaGA8yMTI2MTAyOTAyMDg1OVow\n"
    "FDESMBAGA1UEAwwJbG9jYWxob3N0MCowBQYDK2VwAyEA9kh62Qu58VdAc7e0Lg1w\n"
    "l4PXdgJz4teQDaKTqR1IoKujgZkwgZYwDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8E\n"
    "BAMCB4AwEwYDVR0lBAwwCgYIKwYBBQUHAwEwIQYDVR0RBBowGIIJbG9jYWxob3N0\n"
    "ggtzaW0uZXhhbXBsZTAdBgNVHQ4EFgQUJoN6TdWsjQDyoXc3SRNF7bjFuQMwHwYD\n"
    "VR0jBBgwFoAUZxbKhlUvu118WpWChGW0w3FyfGEwCgYIKoZIzj0EAwIDSQAwRgIh\n"
    "ALp48/UXV50iQZYSebvS5VUAx6sptfgC9rLUiXWmsWfyAiEA+Az0amFShrrN8g9H\n"
    "eyCBC3pLkPtawzeBUylx96hVIh8=\n"
    "-----END CERTIFICATE-----\n";

const char ed25519_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIN6vK+IuOZ5y7qR1OHyDPmIZ86278/Vmx8q+2E297SgW\n"
    "-----END PRIVATE KEY-----\n";

const char rsa_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIICijCCAi+gAwIBAgIBBDAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRzaW11bGF0\n"
    "aW9uIGF1dGhvcml0eTAgFw0yNjExMjIwMjA4NTlaGA8yMTI2MTAyOTAyMDg1OVow\n"
    "FDESMBAGA1UEAwwJbG9jYWxob3N0MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIB\n"
    "CgKCAQEAk0+Vlqw0bUIJyf413u1Pyea+sH2YPu76yEz7vCkFJzrAt5NsItW3NsGw\n"
    "GFFRj0ZF8134RMInfNKhlME0+peHLQIhMZ8exV4PItrwfx+ZQYqeIqcDog0t1yaA\n"
    "i6LmMoXcl67EToRSXfruScaCYSfERPpPtIcHVKTGVQ9noM3JCxtmkS9xlf+F8plx\n"
    "Ha/Ou9WpQl8U7pouPPK52gnOqAcDWQQ71XN/Tg/PguH40InsP/y0nLDErPkdNg0K\n"
    "JhHZfd3o5G1Ilau1MC9lckSxt5WO4+YdL8Z8qs8pJvPocE7s5Ea/zx9M4Tke8eq6\n"
    "QIWe0cIOHog2xkQLCMS/XiFNjdMYCQIDAQABo4GZMIGWMAwGA1UdEwEB/wQCMAAw\n"
    "DgYDVR0PAQH/BAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMCEGA1UdEQQaMBiC\n"
    "CWxvY2FsaG9zdIILc2ltLmV4YW1wbGUwHQYDVR0OBBYEFEzBB3LAWK5gatV08nXv\n"
    "Nq0cRM1pMB8GA1UdIwQYMBaAFGcWyoZVL7tdfFqVgoRltMNxcnxhMAoGCCqGSM49\n"
    "BAMCA0kAMEYCIQDUb0BV/ofXwXGCDaeUVRMnTelFG6HBfCmpz/bu/+q5zwIhAM3m\n"
    "jYdEEcnJw8SzXZjN83jCrFzo/L4Zdd9PtMbez5mW\n"
    "-----END CERTIFICATE-----\n";

const char rsa_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCTT5WWrDRtQgnJ\n"
    "/jXe7U/J5r6wfZg+7vrITPu8KQUnOsC3k2wi1bc2wbAYUVGPRkXzXfhEwid80qGU\n"
    "wTT6l4ctAiExnx7FXg8i2vB/H5lBip4ipwOiDS3XJoCLouYyhdyXrsROhFJd+u5J\n"
    "xoJhJ8RE+k+0hwdUpMZVD2egzckLG2aRL3GV/4XymXEdr8671alCXxTumi488rna\n"
    "Cc6oBwNZBDvVc39OD8+C4fjQiew//LScsMSs+R02DQomEdl93ejkbUiVq7UwL2Vy\n"
    "RLG3lY7j5h0vxnyqzykm8+hwTuzkRr/PH0zhOR7x6rpAhZ7Rwg4eiDbGRAsIxL9e\n"
    "IU2N0xgJAgMBAAECggEAF/qgcwJdFlvllAfZZQxkLI1vBPOs0LG+CNTfNWXH/PbH\n"
    "YBqTQ6heRn+I1qyGBjh+MntdanPgUaVHwBsjMJdx3ZW3KYipTZ9d/2J8O3U9UTnr\n"
    "O+DL6pkSmS8fRZuitR6tJdPBCLbpYXrzRvcVShNbE49bYhuIyfJ4hmgXikl1LGVu\n"
    "NrxiLHojZMzTpFgU3EsF+O1p3ZPfW8woPnQYyrmGZPGGeJ8gg8F7toI4cFYWe6ik\n"
    "DcO6FoDK5z0yx11ah2VRLY7mwBwpcUe6yewMApIoIstXuhJAkfbENW8r9+P3gLiH\n"
    "En1O1r4TrpVf22SULsUh7E2cQ+OBa4s3QEIgwROjcQKBgQDEdFF+Jv34yESgyUg0\n"
    "PZmkF9FiD5nCddMa48SIwx+wDNtzNGcKcxqfSdT1jQ8WBpe4FLL0VMY4NDMjzb/k\n"
    "1l5qjsui0iX8FwjEwhQAN+BuGmsnIAkruHtsUCfy6v16OLi6eWjZXvd9jig7Dw8C\n"
    "ijlkq9E6QAewBcTORXBZ65rCZwKBgQC/9gaIMcIbQMmGS3wFIHT7kZA5LrnY7JIJ\n"
    "o1QrVXEjJfVAkAU658Wv4xhdVcC+kbl2eWgTe4ycDjsu5f7I3aOSOyMILNjoSiwx\n"
    "fpekYbUQKIVdBc4ljgkaU5iSYz509RSybL2eUXj1E0vkolWyX06rJDUybwMdgZe6\n"
    "TMeUn+gsDwKBgGDZi1dq96gPay3tLUh72eO4zkPOtxnUJnfKNBjMQTH0lLeN7QKM\n"
    "zmIa7v8DRJ2yMFfS9IpZxMLukQukoma5fCCCN0gU3B8UaAFAQMX+xgjhw1Otinfg\n"
    "YhB6z8cFLGN11TQxKIyJMe/XBmRfPyIcbMEBp4tVB7UyktyyBPp/mXMfAoGAYJIa\n"
    "0yWFK0S6nW8YI1QixfSDA+F36aOKDIM4ctx3IGGWMjbCCtJS55ttxHbBkp2pGesV\n"
    "6sc7A789Eujt9otaINTTWOeG78Vw2i1/iFkHR+u6vAORo98CwVXQ6cQ3xYsOMHz4\n"
    "H8+I9HISuiDYz/WWlA6RHKAwhwWNGVJLDYAsww0CgYEAsb7sjcoManURBAF4BzMB\n"
    "/hhdAGfigKqnINRp4PPZE5KXRm7Ldu9vQggjlHalRDMT+SZXF6fv1i6OSfHCJNRv\n"
    "4DymWw6XBs8rdi/5MtJKp/vQQGB9lcQ2vewx+nK2Hk4SqvamCGnCazXtpoV8wgcT\n"
    "FUzB7tdKK+mrxPoDJZ2j8mQ=\n"
    "-----END PRIVATE KEY-----\n";

const char client_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBvTCCAWOgAwIBAgIBBTAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRzaW11bGF0\n"
    "aW9uIGF1dGhvcml0eTAgFw0yNjExMjIwMjA4NTlaGA8yMTI2MTAyOTAyMDg1OVow\n"
    "EzERMA8GA1UEAwwIYSBjbGllbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATb\n"
    "xbMAoGpi9bUjLqDbL5vbDHQRRlOg6j9IEaPq5WZF61hNcVbC3MWo8X7CTCZalE3B\n"
    "mDmU7Qu2tPYk1FSoELIjo4GZMIGWMAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQD\n"
    "AgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMCMCEGA1UdEQQaMBiCCWxvY2FsaG9zdIIL\n"
    "c2ltLmV4YW1wbGUwHQYDVR0OBBYEFL2YXEADaXmK/NThVFYGIq/WEDEIMB8GA1Ud\n"
    "IwQYMBaAFGcWyoZVL7tdfFqVgoRltMNxcnxhMAoGCCqGSM49BAMCA0gAMEUCIDsR\n"
    "UKduTDfFVoKD1wk/k/KZYTClkoS1bkX5xDYRQFrmAiEA1ubsZQR1Q2dFaOYWQHtq\n"
    "3T+k5krl46ezc5cldOTUr7s=\n"
    "-----END CERTIFICATE-----\n";

const char client_key[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIPc+zxyzIlorSsZrBg0awnkBNa7T5GF+LX6Rw2i9XsunoAoGCCqGSM49\n"
    "AwEHoUQDQgAE28WzAKBqYvW1Iy6g2y+b2wx0EUZToOo/SBGj6uVmRetYTXFWwtzF\n"
    "qPF+wkwmWpRNwZg5lO0LtrT2JNRUqBCyIw==\n"
    "-----END EC PRIVATE KEY-----\n";
