//! What can go wrong with the encryption of a connection, and what to do about it.

use std::fs::File;
use std::path::Path;

use rustls::CertificateError;

use crate::database_url::DatabaseUrl;
use crate::private_file::exposed;
use crate::store::error::StoreError;

/// Checks the files that the address names: the driver's error would only say that some file is missing.
pub fn check_files(address: &DatabaseUrl) -> Result<(), StoreError> {
    let refused = |text: String| Err(StoreError::Refused(text));
    for (name, path) in address.tls_files() {
        let path = Path::new(&path);
        match File::open(path) {
            Err(error) => return refused(format!("the file of `{name}` cannot be read: {error}")),
            Ok(file) if name == "ssl-key" => {
                if let Some(exposed) = exposed(path, &file) {
                    let command = exposed.command;
                    return refused(format!(
                        "other users can read the file of `{name}`: type `{command}`"
                    ));
                }
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

/// The error of a connection that failed when it was made.
pub fn explained(error: sqlx::Error) -> StoreError {
    if let sqlx::Error::Tls(_) = error {
        return StoreError::Refused(format!(
            "{error}: switch TLS on in the server, or write `?ssl-mode=PREFERRED` at the end of the address if nobody \
             else is on the network between"
        ));
    }
    let Some(cause) = certificate_error(&error) else {
        return error.into();
    };
    let help = match cause {
        // The clock may be wrong, or the certificate be renewed.
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            return StoreError::Unavailable(format!(
                "{error}: renew the server's certificate, or set the clock"
            ));
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "write the host as the certificate has it"
        }
        _ => {
            "if an authority of your own signed the server's certificate, write `?ssl-ca=FILE` with the certificate \
             of that authority at the end of the address"
        }
    };
    StoreError::Refused(format!("{error}: {help}"))
}

fn certificate_error(error: &sqlx::Error) -> Option<&CertificateError> {
    let sqlx::Error::Io(error) = error else {
        return None;
    };
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(cause) => Some(cause),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn told(cause: CertificateError) -> StoreError {
        let error = rustls::Error::InvalidCertificate(cause);
        explained(io::Error::new(io::ErrorKind::InvalidData, error).into())
    }

    #[test]
    fn a_certificate_that_is_not_taken_is_told_with_what_to_write() {
        let unknown = told(CertificateError::UnknownIssuer);
        assert!(matches!(&unknown, StoreError::Refused(text) if text.contains("`?ssl-ca=FILE`")));
        let other = told(CertificateError::NotValidForName);
        assert!(matches!(&other, StoreError::Refused(text) if text.contains("write the host")));
    }

    #[test]
    fn a_certificate_that_is_not_valid_now_may_be_later() {
        for cause in [CertificateError::Expired, CertificateError::NotValidYet] {
            assert!(matches!(told(cause), StoreError::Unavailable(_)));
        }
    }

    #[test]
    fn a_server_without_tls_is_told_with_what_to_do() {
        let error = explained(sqlx::Error::Tls("server does not support TLS".into()));
        let text = error.to_string();
        assert!(matches!(error, StoreError::Refused(_)), "{text}");
        assert!(text.contains("server does not support TLS") && text.contains("ssl-mode="));
    }

    #[test]
    fn files_of_the_address_that_are_missing_are_named_by_their_option() {
        let text = "mysql://u:hush@db/votes?ssl-ca=/nowhere/ca.pem";
        let error = check_files(&DatabaseUrl::parse(text).ok().unwrap()).unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains("the file of `ssl-ca` cannot be read"),
            "{told}"
        );
    }
}
