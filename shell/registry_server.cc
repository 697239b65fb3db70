#include "shell/registry_server.h"

#include <utility>

#include "base/status_macros.h"
#include "exec/connect/registry/registry_api.h"
#include "exec/connect/registry/stored_registry.h"

namespace weir::shell {

Result<std::unique_ptr<RegistryServer>> RegistryServer::Start(
    const RegistryServerOptions& options) {
  std::unique_ptr<RegistryServer> server(new RegistryServer());
  BrokerOptions broker;
  broker.directory = options.directory;
  WEIR_ASSIGN_OR_RETURN(server->broker_, options.directory.empty() ? OpenMemoryBroker(broker)
                                                                   : OpenLocalBroker(broker));
  WEIR_ASSIGN_OR_RETURN(server->registry_, OpenStoredRegistry(*server->broker_, {}));
  HttpListenerOptions listening;
  listening.address = options.address;
  listening.port = options.port;
  listening.body_bytes_max = kRegistryBodyMax;
  listening.what = "the schema registry";
  listening.address_option = "--address";
  listening.port_option = "--port";
  WEIR_ASSIGN_OR_RETURN(
      server->listener_,
      HttpListener::Start(listening, [registry = server->registry_](const HttpRequest& request) {
        RegistryAnswer answer = AnswerRegistryRequest(
            *registry, {request.method, request.path, request.query, request.body});
        return HttpAnswer{answer.status, std::string(kRegistryContentType), std::move(answer.body)};
      }));
  return server;
}

// Nobody asks any more when the store closes.
RegistryServer::~RegistryServer() {
  listener_.reset();
  if (broker_ == nullptr) return;
  const Status ignored = broker_->Close();
  static_cast<void>(ignored);
}

}  // namespace weir::shell
