//! rumqttc in both versions, which is what the services and agents use.

use std::sync::Arc;

use rumqttc::tokio_rustls::rustls;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS, TlsConfiguration, Transport};
use tokio::time::timeout;

use crate::support::{DEADLINE, PASSWORD, TestBroker, start};

/// TLS that trusts the broker's certificate and nothing else.
fn tls(broker: &TestBroker) -> Transport {
    use rustls::pki_types::pem::PemObject;
    let certificate = broker.certificate.as_bytes();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(rustls::pki_types::CertificateDer::from_pem_slice(certificate).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(config)))
}

async fn until_published(events: &mut rumqttc::EventLoop) -> String {
    let wait = async {
        loop {
            if let Event::Incoming(Packet::Publish(publish)) = events.poll().await.unwrap() {
                return String::from_utf8(publish.payload.to_vec()).unwrap();
            }
        }
    };
    timeout(DEADLINE, wait).await.unwrap()
}

#[tokio::test]
async fn rumqttc_talks_3_1_1_with_and_without_tls() {
    let broker = start().await;
    for secured in [false, true] {
        let port = if secured {
            broker.tls.port()
        } else {
            broker.tcp.port()
        };
        let mut options = MqttOptions::new("c", "localhost", port);
        options.set_credentials("free", PASSWORD);
        if secured {
            options.set_transport(tls(&broker));
        }
        let (client, mut events) = AsyncClient::new(options, 100);
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            client.subscribe("a/#", qos).await.unwrap();
            let payload = format!("{qos:?}");
            client
                .publish("a/b", qos, false, payload.clone())
                .await
                .unwrap();
            assert_eq!(until_published(&mut events).await, payload);
        }
    }
}

#[tokio::test]
async fn rumqttc_talks_mqtt_5_with_properties() {
    use rumqttc::v5::mqttbytes::QoS;
    use rumqttc::v5::mqttbytes::v5::{Packet, PublishProperties};
    use rumqttc::v5::{AsyncClient, Event, MqttOptions};

    let broker = start().await;
    let mut options = MqttOptions::new("c", "localhost", broker.tcp.port());
    options.set_credentials("free", PASSWORD);
    let (client, mut events) = AsyncClient::new(options, 100);
    client.subscribe("a/#", QoS::ExactlyOnce).await.unwrap();
    let properties = PublishProperties {
        user_properties: vec![("session".to_owned(), "17".to_owned())],
        content_type: Some("text/plain".to_owned()),
        ..PublishProperties::default()
    };
    client
        .publish_with_properties("a/b", QoS::ExactlyOnce, true, "hello", properties)
        .await
        .unwrap();
    let wait = async {
        loop {
            if let Event::Incoming(Packet::Publish(publish)) = events.poll().await.unwrap() {
                return publish;
            }
        }
    };
    let publish = timeout(DEADLINE, wait).await.unwrap();
    let properties = publish.properties.unwrap();
    assert_eq!(properties.content_type.as_deref(), Some("text/plain"));
    assert_eq!(properties.user_properties[0].1, "17");
    assert_eq!(&publish.payload[..], b"hello");
}
