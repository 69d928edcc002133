"""What is said when a car comes in: service, faults, body work, tyres, parts."""

TEXT = """
== servicio | Taller
@ 2-6d
S> Colibrí: a tu {auto} ({placa}) le toca servicio de {kms} km. Agenda respondiendo este mensaje o
  al {telefono}.
  | Colibrí Taller: {nombre}, tu {auto} está por cumplir su servicio. Agenda al {telefono}.
  | Recordatorio Colibrí: servicio de {kms} km de tu {auto}, placas {placa}. Este mes, lavado sin
  costo.
1-30h x< {hola}, me llegó el recordatorio. Quiero agendar el servicio del {auto}
  | {hola}, ¿tienen lugar esta semana para el servicio de {kms}?
  | Buenas, ¿cuánto cuesta el servicio de {kms} km?
x> {holan}, te atiende {asesor} del taller. El de {kms} km cuesta {costo} y tarda unas 3 horas.
  Tengo
  {dia} a las {hora}.
  | {holan}. Claro: {dia}, {hora}, en {sucursal}. Precio {costo} con lavado incluido. ¿Te lo aparto?
  | {holan}, son {costo} e incluye aceite, filtros y revisión de 30 puntos. ¿Te queda {dia} a las
  {hora}?
x< {ok}, apártalo
  | Me queda, ¿puedo esperar ahí?
  | Sí, pero lo dejo más temprano, como 8:45
=x> Quedó: {dia}, {hora}. Orden {orden}.
  | Agendado. Hay sala de espera con internet y café ☕
  | Sin problema, la recepción abre a las 8:30. Tu cita es la {orden}.
?x< Ah, y también le suena algo al frenar
  | De paso revisen el aire acondicionado, enfría poco
  | ¿Pueden checar la presión de las llantas? Se prende el testigo
&x> Lo anoto para el técnico. La revisión no tiene costo.
  | Apuntado en la orden {orden}.
cita v< Recepción del {auto} {placa}, {km} km, medio tanque. Servicio de {kms} km. Sin objetos de
  valor. Rayón previo en facia, con foto. [foto recepcion-{orden}.jpg]
  | Dejó el {auto} a servicio, orden {orden}. Pide que le llamen antes de cualquier extra.
  | Entrada a taller: {auto}, {placa}. Cliente espera en sala. Revisar además ruido al frenar.
60-150m x> {nombre}, en la revisión salió que conviene cambiar {pieza}: {costo2} con mano de obra.
  ¿Lo
  autorizas? [foto {orden}-detalle.jpg]
  | Te comparto el video de la inspección. Ya toca cambiar {pieza}; serían {costo2}.
  ¿Procedo?
  [video inspeccion-{orden}.mp4]
  | Todo en orden; solo hay que reemplazar {pieza}. Presupuesto {costo2}, se queda listo hoy mismo.
x< ¿Es urgente o aguanta al siguiente?
  | Autorizado
  | Uy. ¿Con refacción original?
=x> Aguanta unos 5,000 km, pero no lo dejaría más. Tú decides.
  | {ok_s} Te aviso en cuanto esté.
  | Original y con 12 meses de garantía.
?=x< Va, cámbialo de una vez
  | ¿Como a qué hora queda?
  | Está bien, sí
1-3h x> Tu {auto} ya está listo, {nombre}. Total {costo}. Puedes recogerlo hasta las {cierre}.
  | ¡Listo! Lavado y aspirado. Son {costo}; aceptamos tarjeta.
  | Terminamos la orden {orden}. Te esperamos en caja 2. 👍
x< Voy para allá
  | Salgo del trabajo 18:30, ¿alcanzo?
  | {gracias_m}, en una hora paso
30-150m v< Recogió el {auto}. Se le explicó la factura y la próxima revisión. Paga con tarjeta.
  | Salida de taller, orden {orden}. Conforme. Próximo servicio en 10,000 km.
1-2d q> Encuesta enviada: servicio {orden}, {auto}.
  | Encuesta de satisfacción de la orden {orden}.

== cita_web | Taller | campaña
@ 2-4d
f< Cita de servicio de {kms} km para {auto}, placas {placa}. Prefiero {dia} por la mañana.
  | Quiero agendar mi {auto} ({placa}). Además, los frenos rechinan en frío.
  | Servicio y revisión de viaje para un {auto}. ¿Me pueden llamar?
10-70m l> {contesta} 50-160
2-10m x> {holan}, recibimos tu cita en línea: {dia} a las {hora}, orden {orden}. El servicio de
  {kms} km
  cuesta {costo}.
  | {holan}, soy {asesor} del taller. Por tu solicitud en la página: {dia}, {hora}, en {sucursal}.
x< {gracias}, confirmado
  | {ok}, ahí estaré
cita v< Ingresa {auto} {placa} con cita en línea, orden {orden}. {km} km. Cliente deja el auto y se
  va.
  | Recepción del {auto}, cita web. Revisar {pieza} y presión de llantas.
2-5h x> Terminamos tu {auto}, {nombre}: {costo}. Aquí el reporte. [pdf reporte-{orden}.pdf]
  | {nombre}, tu {auto} ya está en entrega. Cerramos a las {cierre}.
4-25m x< Voy en camino
  | {gracias}, llego en media hora
20-80m v< Entregado el {auto}, orden {orden}. Agradece los recordatorios por mensaje.
  | Recogió el {auto}; pide factura a nombre de su empresa.
1-4h x> Gracias por tu visita, {nombre}. {fin}
  | Tu factura va en camino a tu correo. {fin}

== servicio_tel | Taller
l< answered 95-260
1-6m L< Llamó para agendar servicio de {kms} km del {auto}. Prefiere {sucursal} y temprano.
  | Pidió cita para el {auto} {placa}. Quiere saber si hay auto de cortesía; se le explicó que solo
  en
  reparaciones de más de dos días.
@ 1-4d
3-20m x> {holan}, confirmo lo que vimos por teléfono: {dia} a las {hora}, orden {orden}.
  | {holan}, quedó tu cita {dia}, {hora}, en {direccion}. {fin}
x< {gracias_m}
  | {ok}, ahí nos vemos
  | Recibido 👍
cita v< Llegó 10 minutos antes. {auto} con {km} km. Se lleva el auto un familiar por la tarde.
  | Recepción sin novedad, orden {orden}. Pide revisar {pieza}.
2-4h l> {contesta} 40-120
2-9m x> Te marqué para avisarte que ya quedó tu {auto}. Total {costo}.
  | Tu {auto} está listo. Serían {costo}, con factura a tu nombre.
?x< ¿La factura me la mandan al correo?
  | ¿Hasta qué hora puedo pasar?
  | Perfecto, va mi hermano por él, se llama igual que yo 😅
&=x> Sí, en cuanto pagues llega sola.
  | Hasta las {cierre}, {nombre}.
  | Que traiga una identificación y listo.

== falla | Taller
x< {hola}, se me prendió el testigo del motor en el {auto}, ¿es peligroso seguir manejando?
  | {hola}, mi {auto} hace un ruido como de lámina suelta en los topes
  | Oigan, el {auto} tarda mucho en arrancar en las mañanas
  | {hola}, el clima del {auto} ya no enfría nada
=15-50s x< [foto tablero-{placa}.jpg]
  | [video ruido-{placa}.mp4]
  | [audio nota-de-voz.ogg]
  | Está como si fuera pura ventilación [foto clima-{placa}.jpg]
=x> {holan}. Si no parpadea puedes manejar con calma. Hay que escanearlo; el diagnóstico cuesta
  $650.
  | {holan}, gracias por el video. Suena a que hay que cambiar {pieza}, pero lo vemos en la rampa.
  | {holan}, ya escuché tu nota. El diagnóstico cuesta $650 y se descuenta de la reparación.
  | {holan}. Puede ser el gas o el compresor. El diagnóstico del clima son $650.
@ 1-2d
x< Puedo {dia} a las {hora}
  | ¿{dia_m} a las {hora} hay lugar?
  | ¿Y si me quedo tirado? ¿Tienen grúa?
=x> Listo, te anoto {dia} a las {hora}. {fin}
  | Sí hay. Queda con la orden {orden}.
  | Sí, con grúa o rodando te recibo {dia} a las {hora}. Orden {orden}.
#cita v< Diagnóstico del {auto} {placa}: testigo encendido, código P0{cod}. Se cotiza {pieza}.
  | Ingresa {auto} por ruido. Se probó en ruta con el cliente y se confirmó. Orden {orden}.
  | {auto} {placa}: tarda en arrancar en frío, se confirma. Orden {orden}; se revisa carga y
  arranque.
  | Ingresa {auto} porque el clima no enfría. Presión baja, sin fuga visible. Orden {orden}.
2-5h e> Presupuesto orden {orden} · {auto} {placa} // {holan}:¶¶Encontramos desgaste en {pieza}. El
  presupuesto es de {costo2} con refacciones originales y mano de obra. La pieza tarda {dias} días
  hábiles en llegar.¶¶¿Nos autorizas? {firma} [pdf presupuesto-{orden}.pdf]
  | Diagnóstico de tu {auto}, orden {orden} // {holan}:¶¶Hay que sustituir {pieza}. Adjunto fotos y
  precio:
  {costo2}. Si pides hoy, lo entregamos en {dias} días. {firma} [pdf diagnostico-{orden}.pdf]
  [foto {orden}-1.jpg]
1-20h e< // {hola}:¶¶Autorizado, pero por favor no pasen de ese monto sin avisarme. {firma_c}
  | // ¿Hay opción de refacción genérica? Si no, adelante con la original. {firma_c}
  | // De acuerdo, procedan. {firma_c}
=e> // {holan}:¶¶Entendido: nada extra sin tu visto bueno. Pieza pedida con número {folio}. {firma}
  | // {holan}:¶¶Por garantía solo manejamos original. Queda autorizada la orden {orden}. {firma}
  | // {holan}:¶¶Pedida la pieza con número {folio}. Te aviso en cuanto llegue. {firma}
2-4d x< {hola}, ¿ya llegó la refacción?
  | ¿Alguna novedad de mi {auto}?
  | Me urge el carro para el viernes 🙏
x> Llegó hoy en la mañana, ya está en la rampa.
  | Está en tránsito, la tengo {dia_prox} a primera hora.
  | Justo te iba a escribir: ya instalamos {pieza}, falta la prueba de ruta.
?2-8h l< missed 0
&4-25m l> answered 50-190
3-20h x> {nombre}, listo tu {auto}. Ya sin la falla; lo probamos 12 km. Total {costo2}.
  | ¡Quedó! Te mandé el antes y después. [foto antes-{orden}.jpg] [foto despues-{orden}.jpg]
x< Paso por él saliendo del trabajo
  | ¡Por fin! Gracias por la paciencia también 😅
  | {gracias_m}
1-6h v< Entregado el {auto}, orden {orden}. Prueba de ruta con el cliente, conforme.
  | Recoge el {auto} y se lleva la pieza usada. Garantía de 12 meses explicada.
1d x> ¿Cómo sientes tu {auto}, {nombre}? ¿Todo bien?
  | {holan}, ¿volvió a aparecer la falla?
2-20h x< Todo excelente, ya ni me acuerdo
  | Perfecto hasta ahora 👌
x> Qué bueno leerlo. {fin}
  | ¡Excelente! Nos vemos en el siguiente servicio.

== golpe | Taller
W< missed 0
1-3m x< {hola}, me chocaron por atrás 😩 El ajustador ya vino
  | {hola}, tuve un percance con el {auto}, ¿trabajan con {aseguradora}?
  | Me pegaron en el estacionamiento y se dieron a la fuga
20-80s x< [foto golpe-{placa}-1.jpg] [foto golpe-{placa}-2.jpg] [foto volante-admision.jpg]
  | Así quedó [foto golpe-{placa}.jpg]
x> Lo siento mucho, {nombre}. ¿Están todos bien? Sí trabajamos con {aseguradora}; mándame el número
  de siniestro.
  | Qué susto. Aquí lo reparamos. ¿Tienes el volante de admisión?
x< Sí, solo el susto. El siniestro es {folio}
  | Nada de heridos gracias a Dios. Siniestro {folio}
@ 1-2d
x> Perfecto. Te recibo {dia} a las {hora} con volante, identificación y tarjeta de circulación.
  | Anotado el {folio}. Si no rueda, mandamos la grúa. Cita {dia} a las {hora}.
cita v< Ingreso a hojalatería: {auto} {placa}, siniestro {folio} de {aseguradora}. Daño en facia,
  tapa
  y calavera. Inventario firmado.
  | Recepción por siniestro {folio}. Golpe trasero medio; se pide valuación. Deducible por
  confirmar.
3-26h e> [cc] Valuación siniestro {folio} · {auto} {placa} // Estimados:¶¶Se envía valuación del
  {auto} placas {placa} por {costo2}. Quedamos en espera de autorización de {aseguradora}. {firma}
  [pdf valuacion-{folio}.pdf] [foto {placa}-dano-1.jpg] [foto {placa}-dano-2.jpg]
  | [cc] Siniestro {folio}: piezas y tiempos // Buen día a todos:¶¶Adjunto el desglose. Las piezas
  tardan {dias} días y la pintura tres más. {firma} [pdf desglose-{folio}.pdf]
1-2d e< [cc] // Gracias. ¿Ya hay fecha compromiso? Necesito el auto para un viaje. {firma_c}
  | [cc] // Enterado. ¿Me toca pagar deducible si la culpa fue del otro? {firma_c}
=e> [cc] // {holan}:¶¶{aseguradora} autorizó hoy. Fecha compromiso: {fecha}. {firma}
  | [cc] // {holan}:¶¶El deducible no aplica por ser afectado. Calculamos entregar el {fecha}.
  {firma}
3-6d x< ¿Cómo va la pintura?
  | {hola}, ¿sigue en pie la fecha de entrega?
x> Va en preparación, mañana entra a cabina. [foto cabina-{folio}.jpg]
  | Se atrasó una calavera, llega {dia_prox}. La fecha se mueve un día, te ofrezco auto de cortesía.
?=x< Se ve muy bien, {gracias_m}
  | Sí por favor, necesito moverme
&=x> Mañana te mando más fotos.
  | Pasa por él hoy, solo deja un depósito de garantía.
2-4d x> Terminado tu {auto} ✨ Quedó como nuevo. ¿Cuándo pasas? [foto terminado-{folio}.jpg]
  | {nombre}, ya pasó control de calidad. Te espero cuando gustes.
x< ¡Wow! Voy mañana temprano
  | Quedó increíble, {gracias_m}
1d v< Entrega del {auto} después de siniestro {folio}. Revisó pintura a la luz, conforme. Finiquito
  firmado para {aseguradora}.
  | Recogió el {auto}. Observa diferencia mínima de tono en tapa; se pule sin costo {dia_prox}.
2-5h x> Gracias por tu paciencia, {nombre}. La reparación tiene garantía de un año.
  | Cualquier detalle de la pintura me escribes directo. {fin}

== llantas | Taller
x< {hola}, ¿manejan llantas para {auto}?
  | ¿Cuánto cuestan cuatro llantas para el {auto}?
  | {hola}, ¿tienen promoción de llantas?
x> {holan}, sí: el juego de cuatro en {costo2}, con montaje, balanceo y alineación.
  | Tenemos 3x2 esta quincena. Para tu {auto} quedan en {costo2} instaladas.
x< ¿De qué marca y qué garantía?
  | ¿Y solo dos, las de enfrente?
  | ¿Cuánto tardan?
=x> Garantía de 5 años o 60,000 km. Se instalan en hora y media.
  | También, la mitad del precio más alineación. Te conviene rotar las otras.
  | Noventa minutos con cita. {fin}
@ 1-3d
x< Agéndame {dia} como a las {hora}
  | Va, {dia} a las {hora} por favor
x> Listo, orden {orden}.
  | Anotado. Te llega recordatorio por SMS.
?1-5h s> Colibrí Taller: cita de llantas {dia} a las {hora}, orden {orden}. Confirma con SI.
&5-60m s< SI
  | Si confirmo
cita v< Cambio de llantas y alineación al {auto} {placa}. Se recomienda rotación en 10,000 km.
  | Instalación de cuatro llantas, orden {orden}. Las usadas se quedan para reciclaje.
1-5h x> Gracias por tu visita, {nombre}. Revisa los birlos a los 100 km, aquí te los apretamos
  gratis.
  | ¿Qué tal se siente la alineación? {fin}

== refaccion | Refacciones
l< {contesta_in} 30-140
2-15m x> {holan}, soy {asesor} de Refacciones. Vi tu llamada; ¿qué pieza buscas?
  | {holan}, te escribo de Refacciones por tu llamada. ¿Me pasas el número de serie?
x< Busco {pieza} para un {auto}
  | Necesito cotizar {pieza}, es para el {auto} placas {placa}
x> Sí hay en existencia en {sucursal}: {costo2}.
  | Hay que pedirlo: {dias} días, {costo2}, con 50 % de anticipo.
x< ¿Hacen envíos?
  | Apártamelo, paso mañana
  | Está más barato en otro lado 😕
=x> Sí, por paquetería al día siguiente. Te paso los datos de pago. [pdf datos-pago.pdf]
  | Apartado 48 horas a tu nombre.
  | Es original con garantía. Puedo darte 8 % si lo instalas aquí.
?=1d o> Paquete enviado con {pieza}, guía {folio}. Llega en 24 a 48 horas.
  | Se entregó a su mensajero {pieza}, folio {folio}.
  | Recado con su vigilante: llegó a mostrador {pieza}, folio {folio}.
&1-2d x< Ya llegó, {gracias_m}
  | Recibido todo bien
&x> ¡Excelente! {fin}
  | Gracias por tu compra, {nombre}.

== duda_horario | Taller
x< {hola}, ¿a qué hora abren el sábado?
  | ¿Están abriendo hoy?
  | {hola}, ¿trabajan en día festivo?
=x> {holan}. Sábados de 9 a 14; entre semana de 9 a 19, con recepción del taller desde 8:30.
  | Sí, aquí andamos. Entre semana cerramos a las 19:00 y el sábado a las 14:00.
  | Los festivos solo el área de ventas; el taller regresa al día siguiente.
?x< ¿Necesito cita para un cambio de aceite?
  | ¿Y si llego sin cita?
&x> Con cita entras directo, sin cita puede ser una hora de espera.
  | Te recomiendo agendar, te aparto lugar ahora si quieres.

== verificacion | Taller
x< {hola}, ¿hacen preverificación? Mi {auto} es terminación {placa_fin}
  | Ya me toca verificar el {auto}, ¿ustedes lo llevan?
x> Sí, la preverificación cuesta $480. Y por $350 más lo llevamos al verificentro.
  | Claro, lo recogemos, lo verificamos y te lo devolvemos el mismo día.
x< Órale, ¿qué necesitan?
  | ¿Y si no pasa?
=x> Tarjeta de circulación, la verificación anterior y que no tenga multas.
  | Si no pasa te decimos por qué y la segunda vuelta no se cobra.
1-3d x> {nombre}, pasó con holograma 0 🎉 [foto holograma-{placa}.jpg]
  | Tu {auto} verificado y sin observaciones. Puedes recogerlo hoy.
?x< ¡Excelente servicio!
  | {gracias_m}, paso en la tarde
&x> Gracias a ti. {fin}
"""
